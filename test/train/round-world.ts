// A small world for a round: a tiny critic that carries a slice and a replay, and traffic on generated problems with known answers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, writeArtifact } from '../../src/critic/manifest.ts'
import type { Feedback, LabelledTraffic, TrafficCandidate } from '../../src/store/types.ts'
import type { Example } from '../../src/train/data/example.ts'
import { writeJsonl } from '../../src/train/data/jsonl.ts'
import { generateProblems, solutionExample } from '../../src/train/recipe/built-in.ts'
import { REPLAY_FILE, SLICE_FILE } from '../../src/train/recipe/reading.ts'
import { createRng } from '../../src/train/rng.ts'
import { challenge, duelComparison } from '../../src/train/round/play.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'
import { type TinyOptions, writeTinyCritic } from '../fakes/tiny-critic.ts'

/** Right solutions of generated problems and the same with one wrong step. */
export function labelledExamples(seed: string, problems: number, side: 'train' | 'heldout'): Example[] {
  const rng = createRng(seed)
  return generateProblems(rng, problems, side).flatMap(problem => {
    const duel = challenge(rng, createPolicy(), { problem, steps: problem.steps })
    return duel === null ? [] : [{ ...solutionExample(problem), imitate: false }, duelComparison(duel).worse]
  })
}

/** A tiny critic with room for whole solutions, a slice and a replay. */
export async function writeRoundCritic(dir: string, options: TinyOptions = {}): Promise<Manifest> {
  const { files, format: _, ...facts } = await writeTinyCritic(dir, { maxLength: 512, ...options })
  writeJsonl(join(dir, SLICE_FILE), labelledExamples('slice', 16, 'heldout'))
  writeJsonl(join(dir, REPLAY_FILE), labelledExamples('replay', 12, 'train'))
  const names = [...Object.keys(files), SLICE_FILE, REPLAY_FILE]
  return writeArtifact(
    dir,
    Object.fromEntries(names.map(name => [name, readFileSync(join(dir, name))])),
    facts,
  )
}

export const aCandidate = (answer: string | null, text = `The answer is ${answer}.`): TrafficCandidate => ({
  steps: [text],
  scores: [0.5],
  answer,
})

/** A logged record with feedback; `at` counts up with `id` when it is a number. */
export function logged(
  id: string,
  problem: string,
  candidates: readonly TrafficCandidate[],
  feedback: readonly Omit<Feedback, 'id'>[] = [],
): LabelledTraffic {
  const kind = candidates.length > 1 ? 'search' : 'critique'
  const record = { id, kind, at: 1_760_000_000_000, problem, candidates, critic: 'tiny@0.0.0' } as const
  return { record, feedback: feedback.map(item => ({ id, ...item })) }
}

/** For each of `problems` generated problems a right and a wrong solution, each critiqued and given feedback on. */
export function feedbackTraffic(problems: number): LabelledTraffic[] {
  return labelledExamples('traffic', problems, 'train').map(({ problem, steps, labels }, i) => {
    const right = !labels.includes(0)
    const candidate = { steps, scores: steps.map(() => 0.5), answer: right ? 'right' : 'wrong' }
    return logged(`req_${i}`, problem, [candidate], [{ at: 1_760_000_000_001, answer_correct: right }])
  })
}
