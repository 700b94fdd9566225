// The baseline that knows labels but reads nothing: hand features of a step, logistic regression on steps that people rated.
// Knows no model weights; the features are those that enter the critic's head (critic/feature-reader.ts), as plain values.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readFeatures } from '../../critic/feature-reader.ts'
import { isHeldBack, mrben, prm800kComparisons, prm800kSolutions } from '../data/corpora.ts'
import type { Example } from '../data/example.ts'
import type { StepJudge } from './judge.ts'
import { fitLogistic } from './logistic.ts'

/** Files whose steps were rated by people, of those in the folder. */
export const humanFiles = (dir: string): string[] =>
  ['mrben_train', 'prm800k_phase1_train', 'prm800k_solutions']
    .map(name => join(dir, `${name}.jsonl.gz`))
    .filter(existsSync)

/** A judge fitted on examples' labels; unknown labels are left out. @throws Error when right or wrong steps are missing */
export function fitHandFeatures(examples: readonly Example[]): StepJudge {
  const rows: Float32Array[] = []
  const right: boolean[] = []
  for (const example of examples) {
    const features = readFeatures(example)
    example.labels.forEach((label, i) => {
      if (label === null) return
      rows.push(features[i]!)
      right.push(label >= 0.5)
    })
  }
  const model = fitLogistic(rows, right)
  return {
    name: 'hand features, human labels',
    threshold: 0.5,
    isProbability: false, // classes were balanced: ½ is where right and wrong are equally likely, not P(right) = ½
    async judge(items, signal) {
      return items.map(item => {
        signal?.throwIfAborted()
        return readFeatures(item).map(row => model.predict(row))
      })
    },
  }
}

/** Fitted on the human-rated corpora of a training folder, without the problems held back. @throws Error when there are none */
export function handFeatureJudge(dir: string): StepJudge {
  if (humanFiles(dir).length === 0)
    throw new Error(`--train ${dir} has none of mrben_train, prm800k_phase1_train, prm800k_solutions`)
  const pairs = prm800kComparisons(dir).flatMap(({ better, worse }) => [better, worse])
  const examples = [...mrben(dir), ...prm800kSolutions(dir), ...pairs]
  return fitHandFeatures(examples.filter(example => !isHeldBack(example.problem)))
}
