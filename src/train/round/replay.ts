// The replay that a candidate carries on: what the serving critic had, with some of the round's traffic. Knows no file.
import type { Example } from '../data/example.ts'
import type { Rng } from '../rng.ts'
import type { Collected } from './collect.ts'
import { feedbackExample, outcomeExample } from './outcomes.ts'

const MAX_REPLAY = 1500
/** Traffic may take this part of the replay, so that what the critic was first trained on stays. */
const TRAFFIC_PART = 1 / 3
const REPLAYED_PER_KIND = 4

/** The replay of the candidate: what the serving critic had, with some of this round's traffic, no longer than before or 1,500. */
export function nextReplay({ train, replay }: Pick<Collected, 'train' | 'replay'>, rng: Rng): Example[] {
  const size = Math.max(MAX_REPLAY, replay.length)
  const isTraffic = ({ source }: Example) => source === 'outcome' || source === 'feedback'
  const fresh = rng.shuffle(train).flatMap(({ solutions }) => {
    const told = rng.shuffle(solutions.filter(s => s.stepLabels !== null || s.outcome?.by !== 'agreement'))
    const some = (right: boolean | undefined) =>
      told.filter(s => s.outcome?.right === right).slice(0, REPLAYED_PER_KIND)
    return [...some(true), ...some(false), ...some(undefined)].map(s =>
      s.stepLabels === null ? outcomeExample(s) : feedbackExample(s),
    )
  })
  const traffic = [...fresh, ...rng.shuffle(replay.filter(isTraffic))].slice(
    0,
    Math.floor(size * TRAFFIC_PART),
  )
  const own = rng.shuffle(replay.filter(example => !isTraffic(example)))
  return [...own.slice(0, size - traffic.length), ...traffic]
}
