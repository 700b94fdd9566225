// Every way to make one right step wrong, each with what can be proven about it. Draws nothing: same step, same edits.
import { sameAnswer } from '../../answer/equal.ts'
import { checkEquations } from '../../answer/equations.ts'
import { equals, type Rational, toNumber } from '../../answer/rational.ts'
import { readEquations } from '../problems/arithmetic.ts'
import { statedAnswer } from '../problems/verify.ts'
import { arithmeticEdits } from './arithmetic-edits.ts'
import { resultEdits } from './result-edits.ts'
import { includes, readStep, type StepRead, whole } from './step.ts'
import type { Draft, SneakyContext, SneakyEdit } from './types.ts'
import { wordEdits } from './word-edits.ts'

/** Numbers that anybody may bring in without having been given them. */
const COMMON = [1, 2, 3, 4, 5, 7, 10, 12, 24, 60, 100, 1000].map(whole)

/** An edit may make a step longer or shorter by this many characters. */
const MAX_LONGER = 3

/** Candidate edits of a right step, in a fixed order, each text once. Empty when the step gives no hold. */
export function sneakyEdits(step: string, context: SneakyContext): SneakyEdit[] {
  const read = readStep(step, context)
  const seen = new Set([step])
  // A step that is refuted as it stands cannot show that an edit made it wrong.
  const sound = brokenIn(step, context.legitimate !== undefined).length === 0
  const out: SneakyEdit[] = []
  for (const draft of [...arithmeticEdits(read), ...resultEdits(read), ...wordEdits(read, context)]) {
    if (seen.has(draft.text) || tells(draft, step)) continue
    seen.add(draft.text)
    const proof = sound ? prove(draft, read, context) : null
    out.push({
      operator: draft.operator,
      text: draft.text,
      provably_wrong: proof !== null,
      why: proof ?? draft.why,
      changed: draft.changed ?? null,
    })
  }
  return out
}

/** Whether the length alone gives an edit away; a neighbouring step has a natural length of its own. */
function tells({ operator, text }: Draft, step: string): boolean {
  const neighbour = operator === 'skipped_step' || operator === 'repeated_step'
  return !neighbour && Math.abs(text.length - step.length) > MAX_LONGER
}

/** A sentence that says why the edit is wrong for sure, or null when that is only likely. */
function prove(draft: Draft, read: StepRead, context: SneakyContext): string | null {
  // A neighbour in the place of a right step is itself right: what is wrong with it is not in its values.
  if (draft.operator === 'skipped_step' || draft.operator === 'repeated_step') return null
  const [broken] = brokenIn(draft.text, context.legitimate !== undefined)
  if (broken !== undefined) return `${draft.why}; ${broken} does not hold.`
  const { changed } = draft
  if (changed === undefined || !changesTrusted(draft, read, context)) return null
  return `${draft.why}; a trusted result has another value now.`
}

/** Whether the changed value can be no other right way to go on. */
function changesTrusted(draft: Draft, read: StepRead, context: SneakyContext): boolean {
  const { changed, operand } = draft
  if (changed === undefined) return false
  const stated = statedAnswer(draft.text)
  const trusted = statedAnswer(read.text)
  if (stated !== null && trusted !== null && stated !== trusted) return !sameAnswer(stated, trusted)
  // Outside an equation nothing tells whether the other value is wrong: both 4 and -4 may be meant.
  if (!read.equations.some(e => equals(e.result.value, changed.from))) return false
  if (context.legitimate !== undefined) return !context.legitimate.includes(toNumber(changed.to))
  if (operand === undefined) return true
  if (!includes(read.known, operand) && !includes(COMMON, operand)) return true
  // A given number that no step has used yet may be meant to be used: `12 + 8` before `+ 5` is only another order.
  return includes(usedBefore(context), operand)
}

/**
 * Equations of a text that are refuted, as written. The exact checker stays silent where prose may change the meaning
 * of a number (`the third`), and lets rounding pass; generated steps have one plain equation, read as it stands.
 */
function brokenIn(text: string, generated: boolean): string[] {
  if (!generated) return checkEquations(text).evidence.flatMap(e => (e.holds === false ? [e.text] : []))
  return readEquations(text).flatMap(e => (e.holds ? [] : [text.slice(e.start, e.end)]))
}

function usedBefore(context: SneakyContext): Rational[] {
  return context.previous.flatMap(step =>
    readEquations(step).flatMap(e => e.operands.map(term => term.value)),
  )
}
