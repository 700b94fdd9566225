// Steps in groups that a short cut would confuse with skill: by length, by position, by kind of error. Knows no critic.
import type { StepScores } from './judge.ts'
import { type KnownStep, knownSteps, type LabelledItem } from './labelled.ts'
import { auc, firstBelow } from './metrics.ts'

/** Steps to be ranked among each other. The same for every critic. */
export interface StepGroup {
  readonly name: string
  readonly steps: readonly KnownStep[]
  /** Items whose first wrong step belongs here: the share of them that a critic finds exactly. */
  readonly firstErrorsOf: readonly number[]
}

/** A critic in one group. */
export interface GroupFigures {
  readonly group: string
  readonly right: number
  readonly wrong: number
  /** Null where the group lacks right or wrong steps. */
  readonly auc: number | null
  /** Share of the first errors here that are found exactly at the shared threshold, in percent; null where there are none. */
  readonly found: number | null
}

const POSITIONS = [
  { name: '1st', to: 1 },
  { name: '2nd', to: 2 },
  { name: '3rd–4th', to: 4 },
  { name: '5th–8th', to: 8 },
  { name: '9th and later', to: Number.POSITIVE_INFINITY },
] as const

const withFirstErrors = (
  name: string,
  steps: readonly KnownStep[],
  items: readonly LabelledItem[],
): StepGroup => ({
  name,
  steps,
  firstErrorsOf: steps.flatMap(({ item, step, right }) =>
    !right && items[item]!.firstError === step ? [item] : [],
  ),
})

/** Fifths of the steps by their length in characters; steps of equal length stay together, so fifths are only about equal. */
export function byLength(items: readonly LabelledItem[]): StepGroup[] {
  const steps = knownSteps(items)
  const lengths = steps.map(step => step.chars).sort((a, b) => a - b)
  const edges = new Set([1, 2, 3, 4, 5].map(k => lengths[Math.ceil((k * lengths.length) / 5) - 1] ?? 0))
  let above = -1
  return [...edges].map(edge => {
    const members = steps.filter(({ chars }) => chars > above && chars <= edge)
    const least = members.reduce((least, { chars }) => Math.min(least, chars), edge)
    above = edge
    return withFirstErrors(`${least}–${edge} characters`, members, items)
  })
}

/** By place in the solution, counted from 1. */
export function byPosition(items: readonly LabelledItem[]): StepGroup[] {
  const steps = knownSteps(items)
  let above = 0
  return POSITIONS.map(({ name, to }) => {
    const from = above
    above = to
    return withFirstErrors(
      name,
      steps.filter(({ step }) => step + 1 > from && step + 1 <= to),
      items,
    )
  })
}

/** Per kind of error, the wrong steps of that kind among all right steps of the file; nothing when no record names a kind. */
export function byKind(items: readonly LabelledItem[]): StepGroup[] {
  const steps = knownSteps(items)
  const right = steps.filter(step => step.right)
  const wrong = Map.groupBy(
    steps.filter(step => !step.right),
    ({ kind }) => kind,
  )
  if (wrong.size === 0 || [...wrong.keys()].every(kind => kind === null)) return []
  return [...wrong]
    .map(([kind, members]) => withFirstErrors(kind ?? '(no kind)', [...right, ...members], items))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** One critic's figures in each group. `scores` in the order of `items`. */
export function groupFigures(
  groups: readonly StepGroup[],
  items: readonly LabelledItem[],
  scores: readonly StepScores[],
  threshold: number,
): GroupFigures[] {
  return groups.map(({ name, steps, firstErrorsOf }) => {
    const judged = steps.flatMap(({ item, step, right }) => {
      const score = scores[item]![step] ?? null
      return score === null ? [] : [{ score, right }]
    })
    const found = firstErrorsOf.filter(i => firstBelow(scores[i]!, threshold) === items[i]!.firstError)
    const area = auc(judged)
    return {
      group: name,
      right: steps.filter(step => step.right).length,
      wrong: steps.filter(step => !step.right).length,
      auc: Number.isNaN(area) ? null : area,
      found: firstErrorsOf.length === 0 ? null : (100 * found.length) / firstErrorsOf.length,
    }
  })
}
