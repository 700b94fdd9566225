// Plays the sneaky role: draws an operator and an edit for one step, or spoils a whole solution. Knows no critic.
import { format } from '../../answer/rational.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import type { Rng } from '../rng.ts'
import { sneakyEdits } from './edits.ts'
import { type Changes, changesOf, follow } from './follow.ts'
import { drawOperator, type SneakyPolicy } from './policy.ts'
import { valuesIn } from './step.ts'
import {
  type ChangedValue,
  SNEAKY_OPERATORS,
  type SneakyContext,
  type SneakyEdit,
  type SneakyOperator,
} from './types.ts'

export interface SneakyOptions {
  /** Only edits that are wrong for sure. Default: true when spoiling a solution, false for one step. */
  readonly provableOnly?: boolean
}

/** A solution with one wrong step; what comes after it is neither right nor wrong by itself. */
export interface SpoiledSolution {
  readonly steps: readonly string[]
  /** Index of the wrong step in `steps`. */
  readonly wrong_index: number
  readonly operator: SneakyOperator
  readonly provably_wrong: boolean
  readonly why: string
  /** Whether later steps were made to follow from the changed value (true when there was nothing to follow). */
  readonly propagated: boolean
  /** Operators that had an edit for this step, for `updatePolicy`. */
  readonly available: readonly SneakyOperator[]
}

/** The operators with an edit among `edits`, in the order of `SNEAKY_OPERATORS`. */
function operatorsOf(edits: readonly SneakyEdit[]): SneakyOperator[] {
  return SNEAKY_OPERATORS.filter(op => edits.some(edit => edit.operator === op))
}

/** An edit of a right step, its operator drawn from the policy, or null when the step gives no hold. */
export function applySneaky(
  rng: Rng,
  policy: SneakyPolicy,
  step: string,
  context: SneakyContext,
  options: SneakyOptions = {},
): SneakyEdit | null {
  const edits = sneakyEdits(step, context).filter(
    edit => edit.provably_wrong || options.provableOnly !== true,
  )
  if (edits.length === 0) return null
  const operator = drawOperator(rng, policy, operatorsOf(edits))
  return drawOf(
    rng,
    step,
    edits.filter(edit => edit.operator === operator),
  )
}

/** One of `edits`; those that keep the length come first, so that a critic cannot learn to count characters. */
function drawOf(rng: Rng, step: string, edits: readonly SneakyEdit[]): SneakyEdit {
  const distances = edits.map(edit => Math.abs(edit.text.length - step.length))
  const least = Math.min(...distances) // beside it: alone, a distance of 746 characters would have no weight left
  return edits[rng.weighted(distances.map(d => Math.exp(least - d)))] as SneakyEdit
}

/** Operators drawn for a step, and edits drawn for each, before another step is tried for want of one that can be followed. */
const OPERATORS = 3
const EDITS = 6

/**
 * A right solution with one step spoiled, or null when no step gives a hold. Every step is as likely as the others, but
 * for those after which the rest cannot follow from any edit drawn: these are taken only when nothing else is left.
 * `problem` is a generated problem (whose known values make proofs sharp) or any problem's text.
 */
export function corruptSolution(
  rng: Rng,
  policy: SneakyPolicy,
  problem: GeneratedProblem | string,
  steps: readonly string[],
  options: SneakyOptions = {},
): SpoiledSolution | null {
  let fallback: SpoiledSolution | null = null
  for (const at of rng.shuffle([...steps.keys()])) {
    const step = steps[at] as string
    const context = contextOf(problem, steps, at)
    const edits = sneakyEdits(step, context).filter(e => e.provably_wrong || options.provableOnly === false)
    const available = operatorsOf(edits)
    const given = givenValues(problem, context)
    for (let i = 0; edits.length > 0 && i < OPERATORS; i++) {
      // Trying any edit until one fits would favour the operators that change no value.
      const operator = drawOperator(rng, policy, available)
      const own = edits.filter(edit => edit.operator === operator)
      for (let j = 0; j < EDITS; j++) {
        const spoiled = spoil(steps, at, drawOf(rng, step, own), given, available)
        if (spoiled.propagated) return spoiled
        fallback ??= spoiled
      }
    }
  }
  return fallback
}

/** Values that a later step may mean for another reason than that an earlier step computed them. */
function givenValues(problem: GeneratedProblem | string, context: SneakyContext): Set<string> {
  const given = new Set([context.problem, ...context.previous].flatMap(valuesIn).map(format))
  if (typeof problem !== 'string') for (const value of problem.givens) given.add(String(value))
  return given
}

function contextOf(problem: GeneratedProblem | string, steps: readonly string[], at: number): SneakyContext {
  const next = steps[at + 1]
  return {
    previous: steps.slice(0, at),
    ...(next === undefined ? {} : { next }),
    ...(typeof problem === 'string' ? { problem } : { problem: problem.problem, legitimate: problem.values }),
  }
}

function spoil(
  steps: readonly string[],
  at: number,
  edit: SneakyEdit,
  given: ReadonlySet<string>,
  available: readonly SneakyOperator[],
): SpoiledSolution {
  const { operator, provably_wrong, why } = edit
  const base = { wrong_index: at, operator, provably_wrong, why, available }
  if (operator === 'skipped_step') return { ...base, steps: steps.toSpliced(at, 1), propagated: true }
  if (operator === 'repeated_step')
    return { ...base, steps: steps.toSpliced(at, 0, edit.text), propagated: true }
  const later =
    edit.changed === null ? steps.slice(at + 1) : followed(steps.slice(at + 1), edit.changed, given)
  return {
    ...base,
    steps: [...steps.slice(0, at), edit.text, ...(later ?? steps.slice(at + 1))],
    propagated: later !== null,
  }
}

/**
 * The later steps as they follow from the changed value, or null when they cannot. A value that is also given, or comes
 * from an earlier step, may mean either: better not to touch it.
 */
function followed(
  later: readonly string[],
  changed: ChangedValue,
  given: ReadonlySet<string>,
): string[] | null {
  let changes: Changes = changesOf(changed)
  const out: string[] = []
  for (const step of later) {
    if ([...changes.keys()].some(key => given.has(key))) return null
    const next = follow(step, changes)
    if (next === null) return null
    changes = next.changes
    out.push(next.text)
  }
  return out
}
