// What the rounds lab's client sends: the built-in solver's samples on fresh problems, each with whether its answer was right. No
// step's truth is told and no person labels anything: the generator knows the answers. Knows no round and no measure.
import { canonAnswer } from '../../answer/equal.ts'
import { extractAnswer } from '../../answer/extract.ts'
import type { SolverModel } from '../../critic/solver-model.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import { generateProblems } from '../recipe/built-in.ts'
import { type ProblemSamples, sampleProblems } from '../recipe/samples.ts'
import { createRng } from '../rng.ts'
import type { SampleCounts } from './real-errors.ts'

/** A day that means nothing, in Unix milliseconds: no clock is read. */
const EPOCH = 1_760_000_000_000

/** Samples of round `round` as critiques with feedback on their answers, newest first. @throws the signal's reason when aborted */
export async function givenTraffic(
  solver: SolverModel,
  round: number,
  { problems, n, seed }: SampleCounts,
  signal?: AbortSignal,
): Promise<LabelledTraffic[]> {
  const fresh = generateProblems(createRng(seed).fork(`given ${round}`), problems, 'train')
  const sampled = await sampleProblems(solver, fresh, {
    perProblem: n,
    temperature: 0.8,
    maxTokens: 220,
    seed: seed * 7_919 + round * 1_000_000,
    ...(signal && { signal }),
  })
  return sampled.flatMap((one, i) => records(one, `given-${round}-${i}`, EPOCH + round)).toReversed()
}

function records(
  { problem: { problem }, samples }: ProblemSamples,
  name: string,
  at: number,
): LabelledTraffic[] {
  return samples.map(({ steps, outcome }, k) => {
    const id = `${name}-${k}`
    const answer = extractAnswer(steps.join('\n\n'))
    return {
      record: {
        id,
        kind: 'critique',
        at,
        problem,
        candidates: [
          { steps, scores: steps.map(() => null), answer: answer === null ? null : canonAnswer(answer) },
        ],
        critic: '',
      },
      feedback: [{ id, at, answer_correct: outcome === 1 }],
    }
  })
}
