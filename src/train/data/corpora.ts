// The labelled corpora of `--data <dir>` as examples. Each function reads one file; a missing file is an empty corpus.
// Formats and licences: the data folder's README (PRM800K, Mr-Ben, PRMBench, GSM8K).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { splitSteps } from '../../answer/split.ts'
import { hashText } from '../rng.ts'
import { type Comparison, type Example, labelsFromFirstError } from './example.ts'
import { readJsonl } from './jsonl.ts'

/** Files that a recipe reads, for the data hash. */
export const CORPUS_FILES = [
  'gsm8k_train',
  'mrben_train',
  'prm800k_phase1_train',
  'prm800k_solutions',
  'prmbench_train',
].map(name => `${name}.jsonl.gz`)

const read = <T>(dir: string, file: string): T[] => {
  const path = join(dir, `${file}.jsonl.gz`)
  return existsSync(path) ? readJsonl<T>(path) : []
}

/** One problem in ten is held back from training: calibration, choice of models and the gate's slice come from these. */
export const isHeldBack = (problem: string): boolean => hashText(problem.trim(), 17) % 10 === 0

/** GSM8K solutions as text to imitate; calculator marks removed, the answer spelled out. All steps right. */
export function gsm8k(dir: string): Example[] {
  return read<{ problem: string; solution: string; answer: string }>(dir, 'gsm8k_train').map(
    ({ problem, solution, answer }) => {
      const text = solution.replace(/<<[^>]*>>/g, '')
      const steps = splitSteps(text).map(step => step.text)
      const last = steps.length - 1
      if (last >= 0) steps[last] = `${steps[last]} The answer is ${answer}.`
      return { problem, steps, labels: steps.map(() => 1), source: 'text', imitate: true }
    },
  )
}

/** Whether "steps" are the single characters of a text, as in Mr-Ben's coding part: its labels count lines. */
const isSpelled = (steps: readonly string[]): boolean => steps.every(step => step.length <= 1)

/** Mr-Ben: solutions of real models with the first wrong step marked by people. */
export function mrben(dir: string): Example[] {
  return read<{ problem: string; steps: string[]; label: number; generator: string }>(dir, 'mrben_train')
    .filter(({ steps }) => !isSpelled(steps))
    .map(({ problem, steps, label, generator }) => ({
      problem,
      steps,
      labels: labelsFromFirstError(steps.length, label),
      source: 'human',
      imitate: label < 0,
      outcome: label < 0 ? 1 : 0,
      writer: generator,
    }))
}

/** PRM800K's finished solutions, every step rated by people up to the first wrong one; neutral steps count as right. */
export function prm800kSolutions(dir: string): Example[] {
  return read<{ problem: string; steps: string[]; ratings: number[] }>(dir, 'prm800k_solutions').map(
    ({ problem, steps, ratings }) => ({
      problem,
      steps,
      labels: steps.map((_, i) => (ratings[i] === undefined ? null : ratings[i]! < 0 ? 0 : 1)),
      source: 'human',
      imitate: ratings.every(r => r >= 0),
    }),
  )
}

/** PRM800K phase 1: rated candidate steps; those that share a prefix are compared, a right one over a wrong one. */
export function prm800kComparisons(dir: string): Comparison[] {
  const byPrefix = new Map<string, { right: Example[]; wrong: Example[] }>()
  type Rated = { problem: string; prefix: string[]; step: string; rating: number }
  for (const { problem, prefix, step, rating } of read<Rated>(dir, 'prm800k_phase1_train')) {
    if (rating === 0) continue
    const key = JSON.stringify([problem, prefix])
    const group = byPrefix.get(key) ?? { right: [], wrong: [] }
    byPrefix.set(key, group)
    const labels = [...prefix.map(() => null), rating > 0 ? 1 : 0]
    const example: Example = { problem, steps: [...prefix, step], labels, source: 'human', imitate: false }
    group[rating > 0 ? 'right' : 'wrong'].push(example)
  }
  return [...byPrefix.values()].flatMap(({ right, wrong }) => {
    const n = Math.min(right.length, wrong.length)
    return Array.from({ length: n }, (_, i) => ({
      better: right[i]!,
      worse: wrong[i]!,
      from: right[i]!.steps.length - 1,
    }))
  })
}

/** Every right solution of a problem against every wrong one, compared as wholes. Examples without an outcome are left out. */
export function outcomeComparisons(examples: readonly Example[]): Comparison[] {
  const byProblem = Map.groupBy(examples, example => example.problem)
  return [...byProblem.values()].flatMap(ofOne => {
    const wrong = ofOne.filter(example => example.outcome === 0)
    return ofOne
      .filter(example => example.outcome === 1)
      .flatMap(better => wrong.map(worse => ({ better, worse, from: 0 })))
  })
}

/**
 * As many comparisons of writer A's right against writer B's wrong solutions as the other way round: else the better writer's style
 * would pass for rightness.
 */
export function balanceWriters(comparisons: readonly Comparison[]): Comparison[] {
  const key = (a: Example, b: Example) => JSON.stringify([a.writer, b.writer])
  const groups = Map.groupBy(comparisons, ({ better, worse }) => key(better, worse))
  return [...groups.values()].flatMap(group => {
    const { better, worse } = group[0]!
    return group.slice(0, groups.get(key(worse, better))?.length ?? 0)
  })
}

/** Comparisons whose single steps are not labelled: what is rated in pairs has another share of wrong steps than real solutions. */
export const withoutLabels = (comparisons: readonly Comparison[]): Comparison[] => {
  const unlabelled = (example: Example): Example => ({ ...example, labels: example.steps.map(() => null) })
  return comparisons.map(({ better, worse, from }) => ({
    better: unlabelled(better),
    worse: unlabelled(worse),
    from,
  }))
}

/** PRMBench: a right solution and the same with errors injected by a language model, compared from the first error on. */
export function prmbench(dir: string): Comparison[] {
  type Injected = { problem: string; original_steps: string[]; steps: string[]; error_steps: number[] }
  return read<Injected>(dir, 'prmbench_train').flatMap(({ problem, original_steps, steps, error_steps }) => {
    const first = Math.min(...error_steps) - 1
    if (!Number.isFinite(first) || first < 0 || first >= Math.min(steps.length, original_steps.length))
      return []
    const worseLabels = steps.map((_, i) => (i < first ? 1 : error_steps.includes(i + 1) ? 0 : null))
    const better: Example = {
      problem,
      steps: original_steps,
      labels: original_steps.map(() => 1),
      source: 'injected',
      imitate: false,
    }
    return [
      {
        better,
        worse: { problem, steps, labels: worseLabels, source: 'injected', imitate: false },
        from: first,
      },
    ]
  })
}
