// The built-in solver and a critic on fresh generated problems: one sample, majority and weighted best-of-N at equal samples.
import { canonAnswer } from '../../answer/equal.ts'
import { extractAnswer } from '../../answer/extract.ts'
import type { SolverModel } from '../../critic/solver-model.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { sampleProblems } from '../recipe/samples.ts'
import { createRng } from '../rng.ts'
import type { StepJudge } from './judge.ts'
import { auc, type Judged, labelledSteps } from './metrics.ts'
import { type Candidate, pairsWithinProblem } from './pairs.ts'
import { drawResamples, type Estimate, percentOf } from './resample.ts'

export interface BuiltInFigures {
  readonly problems: number
  readonly n: number
  /** Shares of problems solved, in percent. */
  readonly one_sample: number
  readonly majority: number
  readonly weighted_best_of_n: number
  readonly best_of_n: number
  /** Some sample was right: the most any choice could reach. */
  readonly oracle: number
  readonly step_auc: number
  /** Share of (right, wrong) pairs of one problem in the right order, in percent. */
  readonly pairs: number
  /** What the weighted vote gains over the majority on the same problems, in points of percent; 95 % by bootstrap over problems. */
  readonly weighted_over_majority: Estimate
}

interface Answered extends Candidate {
  readonly answer: string | null
}

/** The answer with the largest total weight; candidates without an answer do not vote. Ties: first seen. */
function vote(candidates: readonly Answered[], weight: (c: Answered) => number): boolean {
  const totals = new Map<string, number>()
  for (const c of candidates)
    if (c.answer !== null) totals.set(c.answer, (totals.get(c.answer) ?? 0) + weight(c))
  const winner = [...totals].reduce<[string, number] | null>(
    (best, entry) => (best === null || entry[1] > best[1] ? entry : best),
    null,
  )
  return winner !== null && candidates.some(c => c.answer === winner[0] && c.correct)
}

export interface BuiltInOptions {
  readonly problems: number
  readonly n: number
  readonly seed: number
  readonly temperature: number
  readonly signal?: AbortSignal
  /** Told how many problems were sampled; they are judged afterwards, in about half of that time. */
  readonly onProblem?: (done: number) => void
}

/** Measures on problems of the held-out side of the generator's split. Aggregation: the lowest step score. */
export async function evalBuiltIn(
  solver: SolverModel,
  judge: StepJudge,
  options: BuiltInOptions,
): Promise<BuiltInFigures> {
  const { signal, onProblem } = options
  const problems = generateProblems(
    createRng(options.seed).fork('eval built-in'),
    options.problems,
    'heldout',
  )
  const sampled = await sampleProblems(solver, problems, {
    perProblem: options.n,
    temperature: options.temperature,
    maxTokens: 220,
    seed: options.seed * 1_000_003,
    ...(signal && { signal }),
    ...(onProblem && { onProblem }),
  })
  const judgedSteps: Judged[] = []
  const perProblem: Answered[][] = []
  for (const { samples } of sampled) {
    const judged = await judge.judge(samples, signal)
    perProblem.push(
      samples.map((sample, i) => {
        const scores = judged[i]!
        judgedSteps.push(...labelledSteps([sample], [scores]))
        const answer = extractAnswer(sample.steps.join('\n\n'))
        return {
          answer: answer === null ? null : canonAnswer(answer),
          score: lowest(scores),
          correct: sample.outcome === 1,
        }
      }),
    )
  }
  const percent = (solved: (candidates: readonly Answered[]) => boolean | undefined) =>
    (100 * perProblem.filter(c => solved(c) === true).length) / perProblem.length
  const byMajority = (c: readonly Answered[]) => vote(c, () => 1)
  const byWeight = (c: readonly Answered[]) => vote(c, x => Math.max(0, x.score))
  const gains = perProblem.map(c => Number(byWeight(c)) - Number(byMajority(c)))
  const draws = drawResamples(gains.length, createRng(options.seed).fork('eval built-in').fork('bootstrap'))
  return {
    problems: options.problems,
    n: options.n,
    one_sample: percent(c => c[0]?.correct),
    majority: percent(byMajority),
    weighted_best_of_n: percent(byWeight),
    best_of_n: percent(c => c.toSorted((a, b) => b.score - a.score)[0]?.correct),
    oracle: percent(c => c.some(x => x.correct)),
    step_auc: auc(judgedSteps),
    pairs: 100 * pairsWithinProblem(perProblem),
    weighted_over_majority: percentOf(gains, draws),
  }
}

/** The lowest step score; -1, below every score, when no step was scored. */
function lowest(scores: readonly (number | null)[]): number {
  const known = scores.filter(s => s !== null)
  return known.length === 0 ? -1 : Math.min(...known)
}
