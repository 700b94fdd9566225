// What a round puts its weight on: the game or labelled steps, in turn when rounds bring nothing. Pure; knows no lesson.
import type { RoundNote } from './sparring-state.ts'

/**
 * `both` as long as rounds are promoted. A phase shifts the shares of what the feature and the text path learn from. Outcomes teach the outcome path
 * alone, which is fitted apart from both: they count the same in every phase.
 */
export type Phase = 'both' | 'labelled' | 'self-play'

/** Rounds without a promotion before the phases take turns. */
const STALLED = 2
/** How much more, and less, the two sides are worth in a phase. */
const LEAN = 3

/** The phase of the next round: after two rounds in a row that brought nothing, labelled steps and game take turns until one is promoted. */
export function phaseAfter(notes: readonly RoundNote[]): Phase {
  const since = notes.length - 1 - notes.findLastIndex(({ decision }) => decision === 'promoted')
  if (since < STALLED) return 'both'
  return (since - STALLED) % 2 === 0 ? 'labelled' : 'self-play'
}

/** What lessons of a side are worth in a phase, beside 1 in `both`. */
export function leaning(phase: Phase, side: 'labelled' | 'self-play'): number {
  if (phase === 'both') return 1
  return phase === side ? LEAN : 1 / LEAN
}
