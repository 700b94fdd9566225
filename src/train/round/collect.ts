// Gathers what a round works with: traffic to learn from, traffic held back, what the serving critic carries with it, and fresh
// generated problems. Knows no store and no model.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import type { Example } from '../data/example.ts'
import { readJsonl } from '../data/jsonl.ts'
import type { GeneratedProblem } from '../problems/types.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { REPLAY_FILE, SLICE_FILE } from '../recipe/reading.ts'
import { hashText, type Rng } from '../rng.ts'
import { readOutcomes, solutionKey, type TrafficProblem, type TrafficSolution } from './outcomes.ts'

export interface Collected {
  /** Problems with at least one solution of which something is known. */
  readonly train: readonly TrafficProblem[]
  /** The same side of the traffic with all its solutions: what only a teacher could tell something of is among them. */
  readonly open: readonly TrafficProblem[]
  /** The same, never trained on: the gate's. */
  readonly heldBack: readonly TrafficProblem[]
  /** Examples the serving critic learned from, without those that are in `train`. */
  readonly replay: readonly Example[]
  /** Examples every critic of this line is measured on. */
  readonly slice: readonly Example[]
  /** Fresh problems of the side of the generator's split that may be trained on. */
  readonly generated: readonly GeneratedProblem[]
  /** Fresh problems of the other side. */
  readonly generatedHeldOut: readonly GeneratedProblem[]
}

/** Newest records that a round looks at. */
export const MAX_RECORDS = 8000
/** Solutions of one problem, so that no problem takes over the round. */
const MAX_PER_PROBLEM = 64
const GENERATED = 1000
const GENERATED_HELD_OUT = 300

/** One traffic problem in five is for the gate; decided by the text, so that it stays held back in later rounds. */
export const isGateProblem = (problem: string): boolean => hashText(problem.trim(), 0x6a7e) % 5 === 0

/** Splits and dedupes traffic (newest first) beside what the serving critic's folder holds. @throws {AppError} CRITIC_INVALID without a slice */
export function collect(traffic: readonly LabelledTraffic[], servingDir: string, rng: Rng): Collected {
  const slicePath = join(servingDir, SLICE_FILE)
  if (!existsSync(slicePath))
    throw new AppError('CRITIC_INVALID', `the serving critic has no ${SLICE_FILE} to measure a candidate on`)
  const slice = readJsonl<Example>(slicePath)
  const measuredOn = new Set(slice.map(example => example.problem.trim()))
  const isHeldBack = ({ problem }: TrafficProblem) => isGateProblem(problem) || measuredOn.has(problem)
  const problems = readOutcomes(traffic.slice(0, MAX_RECORDS)).map(knownFirst)
  const { held = [], open = [] } = Object.groupBy(problems, one => (isHeldBack(one) ? 'held' : 'open'))
  const train = open.flatMap(keepKnown)
  const inTrain = new Set(train.flatMap(p => p.solutions.map(s => solutionKey(s.problem, s.steps))))
  const replayPath = join(servingDir, REPLAY_FILE)
  const replay = existsSync(replayPath) ? readJsonl<Example>(replayPath) : []
  return {
    train,
    open,
    heldBack: held.flatMap(keepKnown),
    replay: replay.filter(example => !inTrain.has(solutionKey(example.problem, example.steps))),
    slice,
    generated: generateProblems(rng.fork('generated'), GENERATED, 'train'),
    generatedHeldOut: generateProblems(rng.fork('held out'), GENERATED_HELD_OUT, 'heldout'),
  }
}

const isKnown = ({ outcome, stepLabels }: TrafficSolution): boolean => outcome !== null || stepLabels !== null

/** As many solutions of a problem as a round takes: those of which something is known before the others. */
const knownFirst = ({ problem, solutions }: TrafficProblem): TrafficProblem => ({
  problem,
  solutions: [...solutions.filter(isKnown), ...solutions.filter(one => !isKnown(one))].slice(
    0,
    MAX_PER_PROBLEM,
  ),
})

/** Solutions of which nothing is known teach nothing and measure nothing. */
function keepKnown({ problem, solutions }: TrafficProblem): TrafficProblem[] {
  const kept = solutions.filter(isKnown)
  return kept.length > 0 ? [{ problem, solutions: kept }] : []
}

/** How much there was of what, for the round's report. */
export function collectFigures({ train, heldBack, replay, slice }: Collected): Record<string, number> {
  const solutions = train.flatMap(p => p.solutions)
  const count = (by: string) => solutions.filter(s => s.outcome?.by === by).length
  return {
    traffic_problems: train.length,
    traffic_held_back: heldBack.length,
    by_feedback: count('feedback'),
    by_answer: count('answer'),
    by_agreement: count('agreement'),
    step_labelled: solutions.filter(s => s.stepLabels !== null).length,
    replay: replay.length,
    slice: slice.length,
  }
}
