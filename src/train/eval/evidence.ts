// How often the exact checker speaks on steps of known truth: what it refutes, confirms and finds without origin. Knows no critic.
import { createReader } from '../../answer/reader.ts'
import type { LabelledItem, Subset } from './labelled.ts'
import { percentText, type Section } from './markdown.ts'

/** Steps of one truth, and of how many of them the checker says what. A step may count in several. */
interface Spoken {
  readonly steps: number
  /** With an equation that fails. */
  readonly refuted: number
  /** With an equation that holds. */
  readonly confirmed: number
  /** With a number that comes from nowhere. */
  readonly nowhere: number
}

/** The checker on one subset. Steps whose truth is unknown are read, as they may state values, and counted nowhere. */
export interface EvidenceFigures {
  readonly subset: string
  readonly right: Spoken
  readonly wrong: Spoken
}

function countItem(
  { problem, steps, truths }: LabelledItem,
  of: boolean,
  into: Record<keyof Spoken, number>,
): void {
  const reader = createReader(problem)
  steps.forEach((step, i) => {
    const { evidence } = reader.read(step)
    if (truths[i] !== of) return
    into.steps++
    if (evidence.some(({ holds }) => holds === false)) into.refuted++
    if (evidence.some(({ holds }) => holds === true)) into.confirmed++
    if (evidence.some(({ kind }) => kind === 'number_from_nowhere')) into.nowhere++
  })
}

function count(items: readonly LabelledItem[], of: boolean): Spoken {
  const spoken = { steps: 0, refuted: 0, confirmed: 0, nowhere: 0 }
  for (const item of items) countItem(item, of, spoken)
  return spoken
}

/** Counts what the checker says of every subset's steps of known truth. */
export const evidenceFigures = (subsets: readonly Subset[]): EvidenceFigures[] =>
  subsets.map(({ name, items }) => ({ subset: name, right: count(items, true), wrong: count(items, false) }))

const cell = (part: number, { steps }: Spoken): string =>
  steps === 0 ? '–' : `${part} (${percentText((100 * part) / steps)} %)`

/** The figures as a table: two rows a subset, right steps and wrong ones. */
export const evidenceSection = (figures: readonly EvidenceFigures[]): Section => ({
  title: 'What the exact checker says',
  columns: ['subset', 'steps', '', 'refuted', 'confirmed', 'number from nowhere'],
  rows: figures.flatMap(({ subset, right, wrong }) =>
    [right, wrong].map(spoken => [
      subset,
      spoken === right ? 'right' : 'wrong',
      String(spoken.steps),
      cell(spoken.refuted, spoken),
      cell(spoken.confirmed, spoken),
      cell(spoken.nowhere, spoken),
    ]),
  ),
  note: 'Steps with at least one such finding. A refuted right step is a false alarm, or a wrong label: one in 200 is the most that is allowed. What comes from nowhere is a hint and refutes nothing.',
})
