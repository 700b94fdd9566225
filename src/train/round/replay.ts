// The replay that a candidate carries on: what the serving critic had, with some of the round's traffic; and what is compared of it. Knows no file.
import type { Comparison, Example, Source } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { Collected } from './collect.ts'
import { feedbackExample, outcomeExample } from './outcomes.ts'

const MAX_REPLAY = 1500
/** Traffic may take this part of the replay, so that what the critic was first trained on stays. */
const TRAFFIC_PART = 1 / 3
const REPLAYED_PER_KIND = 4
/** Comparisons of one problem, at most. */
const PAIRS_PER_PROBLEM = 48

/** Sources of what a client sent. */
const isTraffic = (source: Source): boolean => source === 'outcome' || source === 'feedback'

/** The replay of the candidate: what the serving critic had, with some of this round's traffic, no longer than before or 1,500. */
export function nextReplay({ train, replay }: Pick<Collected, 'train' | 'replay'>, rng: Rng): Example[] {
  const size = Math.max(MAX_REPLAY, replay.length)
  const fresh = rng.shuffle(train).flatMap(({ solutions }) => {
    const told = rng.shuffle(solutions.filter(s => s.stepLabels !== null || s.outcome?.by !== 'agreement'))
    const some = (right: boolean | undefined) =>
      told.filter(s => s.outcome?.right === right).slice(0, REPLAYED_PER_KIND)
    return [...some(true), ...some(false), ...some(undefined)].map(s =>
      s.stepLabels === null ? outcomeExample(s) : feedbackExample(s),
    )
  })
  const traffic = [...fresh, ...rng.shuffle(replay.filter(({ source }) => isTraffic(source)))].slice(
    0,
    Math.floor(size * TRAFFIC_PART),
  )
  const own = rng.shuffle(replay.filter(({ source }) => !isTraffic(source)))
  return [...own.slice(0, size - traffic.length), ...traffic]
}

/** Right against wrong solutions that the recipe left in the replay. Those of earlier traffic are compared for the outcome path alone. */
export function replayPairs(replay: readonly Example[], rng: Rng): Comparison[] {
  const told = replay
    .filter(({ source, outcome }) => outcome !== undefined && !isTraffic(source))
    .map(example => ({ ...example, imitate: false }))
  return [...Map.groupBy(told, ({ problem }) => problem).values()].flatMap(group => {
    const [right, wrong] = [1, 0].map(kind => rng.shuffle(group.filter(({ outcome }) => outcome === kind)))
    const count = Math.min(right!.length, wrong!.length, PAIRS_PER_PROBLEM)
    return Array.from({ length: count }, (_, i) => ({ better: right![i]!, worse: wrong![i]!, from: 0 }))
  })
}
