// What a round trains on: pools of comparisons and labelled steps with their shares, their hash, and the next replay. Knows no engine.
import { createHash } from 'node:crypto'
import type { TextTokenizer } from '../../critic/tokenizer.ts'
import type { Comparison, Example } from '../data/example.ts'
import {
  comparisonUnit,
  exampleUnit,
  featureComparison,
  featureUnit,
  textFrozen,
  type Unit,
} from '../data/units.ts'
import type { LabelWeight } from '../fit/batch.ts'
import type { Pool } from '../fit/sampler.ts'
import { classWeights } from '../recipe/label-weights.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { type Ablations, NO_ABLATION } from './ablation.ts'
import type { Collected } from './collect.ts'
import { type Labels, NO_LABELS } from './labels.ts'
import type { Figures } from './messages.ts'
import { NO_OUTCOMES, type Outcomes, outcomeGroups } from './outcome-groups.ts'
import { feedbackExample } from './outcomes.ts'
import { leaning, type Phase } from './phase.ts'
import { duelComparison, type JudgedDuel } from './play.ts'
import { replayPairs } from './replay.ts'
import type { WeighedSource } from './source-weights.ts'
import { PRIOR_WEIGHTS } from './sources.ts'

/** Examples and comparisons of one kind. */
interface Taught {
  readonly examples: readonly Example[]
  readonly comparisons: readonly Comparison[]
}

interface Lesson extends Taught {
  readonly name: string
  /** Share of training tokens it is worth when there is plenty of it. */
  readonly worth: number
}

export interface LessonOptions {
  readonly without?: Ablations
  /** What trees and a teacher say, of steps and of whole solutions, and how far each source is trusted. */
  readonly labels?: Pick<Labels, 'tree' | 'teacher' | 'rankings' | 'weights'>
  readonly phase?: Phase
}

export interface Lessons {
  /** What fits in a row of the model; shares add up to 1. */
  readonly pools: readonly Pool[]
  /** For the feature path: the same records whole, without comparisons by outcome; none where no step has a new label. */
  readonly features: readonly Pool[]
  /** Whole solutions of known outcome, for the outcome path. */
  readonly outcomes: Outcomes
  /** Makes right and wrong labels of a source count the same. */
  readonly weigh: LabelWeight
  /** sha256 over the exact records. */
  readonly dataHash: string
}

/** A pool of this many units gets half of what its kind is worth: few records must not be learned by heart. */
const HALF = 100
/** Least share of replay, where there is any (DESIGN 5). */
const LEAST_REPLAY = 0.15
const REPLAY = 'replay'
const isSneaky = (name: string): boolean => name.startsWith('sneaky')
const WORTH = {
  steps: 0.2,
  tree: 0.15,
  teacher: 0.15,
  fooled: 0.15,
  caught: 0.1,
  replay: 0.35,
}

/**
 * Step labels, duels and replay as pools, and outcomes for the outcome path: as comparisons of whole solutions they would move steps that nobody said
 * anything about, and cost the text path what it knew of others (models/LOG.md).
 */
export function prepareLessons(
  tokenizer: TextTokenizer,
  maxLength: number,
  { train, replay }: Pick<Collected, 'train' | 'replay'>,
  duels: readonly JudgedDuel[],
  rng: Rng,
  { without = NO_ABLATION, labels = NO_LABELS, phase = 'both' }: LessonOptions = {},
): Lessons {
  const labelled = train.flatMap(p => p.solutions.filter(s => s.stepLabels !== null).map(feedbackExample))
  /** What is worth `WORTH` at the weight that its source is thought to have. */
  const trusted = (source: Exclude<WeighedSource, 'agreement'>) =>
    (WORTH[source] * labels.weights[source]) / PRIOR_WEIGHTS[source]
  const balanced = !without.has('no-balance')
  const won = (fooled: boolean): Taught => {
    const comparisons = duels.filter(d => d.fooled === fooled).map(duelComparison)
    return balanced
      ? { examples: [], comparisons }
      : { examples: comparisons.map(({ worse }) => worse), comparisons: [] }
  }
  const all: Lesson[] = [
    { name: 'step feedback', worth: WORTH.steps, examples: labelled, comparisons: [] },
    { name: 'tree', worth: trusted('tree'), examples: labels.tree, comparisons: [] },
    { name: 'teacher', worth: trusted('teacher'), examples: labels.teacher, comparisons: [] },
    { name: 'sneaky, fooled', worth: WORTH.fooled, ...won(true) },
    { name: 'sneaky, caught', worth: WORTH.caught, ...won(false) },
    {
      name: REPLAY,
      worth: WORTH.replay,
      examples: replay.filter(example => example.labels.some(label => label !== null)),
      comparisons: replayPairs(replay, rng),
    },
  ]
  const lessons = all
    .filter(({ name, worth }) => worth > 0 && isTaught(name, without))
    .map(lesson => ({ ...lesson, worth: lesson.worth * leaningOf(lesson.name, phase) }))
  const unitsOf = (some: readonly Example[]) =>
    some.flatMap(example => exampleUnit(tokenizer, example, maxLength) ?? [])
  // Of what replay and duels say the feature path makes too much (models/LOG.md).
  const hasNewLabels = lessons.some(
    ({ name, examples }) => name !== REPLAY && !isSneaky(name) && examples.length > 0,
  )
  const features = poolsOf(hasNewLabels ? lessons : [], ({ name, examples, comparisons }) => [
    ...examples.map(featureUnit),
    ...(isSneaky(name) ? comparisons : []).map(featureComparison),
  ])
  const pools = poolsOf(lessons, ({ examples, comparisons }) => [
    // What the recipe's human labels teach the text path does not carry over to other writers (models/LOG.md).
    ...textFrozen(unitsOf(examples.filter(example => example.source === 'human'))),
    ...unitsOf(examples.filter(example => example.source !== 'human')),
    ...comparisons.flatMap(comparison => comparisonUnit(tokenizer, comparison, maxLength) ?? []),
  ])
  const remembered = isTaught(REPLAY, without) ? replay : []
  const outcomes = isTaught('outcomes', without)
    ? outcomeGroups(
        { train, rankings: labels.rankings, replay: remembered },
        labels.weights,
        rng.fork('outcome groups'),
      )
    : NO_OUTCOMES
  return {
    pools,
    features,
    outcomes,
    weigh: balanced ? classWeights(pools.flatMap(pool => pool.units)) : () => 1,
    dataHash: hashRecords([
      ...lessons.flatMap(({ examples, comparisons }) => [...examples, ...comparisons]),
      ...outcomes.groups,
      ...outcomes.whole,
    ]),
  }
}

function leaningOf(name: string, phase: Phase): number {
  if (name === REPLAY) return 1
  return leaning(phase, isSneaky(name) ? 'self-play' : 'labelled')
}

function isTaught(name: string, without: Ablations): boolean {
  if (name === REPLAY) return !without.has('no-replay')
  return !without.has(isSneaky(name) ? 'outcomes-only' : 'self-play-only')
}

/** A pool of each kind that has units; few units get a smaller share than the kind is worth. */
function poolsOf(lessons: readonly Lesson[], unitsOf: (lesson: Lesson) => Unit[]): Pool[] {
  const pools = lessons.map(lesson => {
    const units = unitsOf(lesson)
    return { name: lesson.name, units, share: (lesson.worth * units.length) / (units.length + HALF) }
  })
  return withReplay(pools.filter(pool => pool.units.length > 0))
}

/** Scales shares to 1, of which replay has at least its part. */
function withReplay(pools: readonly Pool[]): Pool[] {
  const isReplay = ({ name }: Pool) => name === REPLAY
  const sum = (of: readonly Pool[]) => of.reduce((total, pool) => total + pool.share, 0)
  const replay = sum(pools.filter(isReplay))
  const total = sum(pools)
  const part = replay > 0 ? Math.max(LEAST_REPLAY, replay / total) : 0
  return pools.map(pool => ({
    ...pool,
    share: isReplay(pool) ? part : (pool.share / (total - replay)) * (1 - part),
  }))
}

function hashRecords(records: readonly unknown[]): string {
  const hash = createHash('sha256')
  for (const record of records) hash.update(`${JSON.stringify(record)}\n`)
  return hash.digest('hex')
}

/** Units and share of each pool, and the problems whose outcomes are taught, for the round's report. */
export const lessonFigures = ({ pools, outcomes }: Pick<Lessons, 'pools' | 'outcomes'>): Figures => ({
  ...Object.fromEntries(
    pools.map(({ name, units, share }) => [name, { units: units.length, share: round(share) }]),
  ),
  outcomes: outcomes.counts,
})
