// A tiny critic as Spar exported them before the prefix cache: its graph scores whole rows and takes no past.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import { openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { trace } from '../../src/train/engine/trace.ts'
import { readWeights } from '../../src/train/export.ts'
import { weightShapes } from '../../src/train/model/config.ts'
import { stepLogits } from '../../src/train/model/head.ts'
import { trunk } from '../../src/train/model/trunk.ts'
import { TINY_MODEL, type TinyOptions, writeTinyCritic } from './tiny-critic.ts'

// Primes stand for the dimensions that vary, see src/train/engine/graph.ts.
const [BATCH, LENGTH, STEPS] = [1_000_003, 1_000_033, 1_000_037]

/** Writes the tiny critic of these options into `dir` with the old graph. */
export async function writeOldCritic(dir: string, options: TinyOptions = {}): Promise<void> {
  await writeTinyCritic(dir, options)
  const weights = readWeights(TINY_MODEL, readFileSync(join(dir, 'model.onnx')))
  const grid = { shape: [BATCH, LENGTH], dtype: 'int32' } as const
  const model = await trace(
    x => {
      const { tokens, slots, flags, positions } = x as Record<
        'tokens' | 'slots' | 'flags' | 'positions',
        tf.Tensor
      >
      const { hidden } = trunk(TINY_MODEL, x, { tokens, slots, flags, positions, keyPositions: positions })
      return { logits: stepLogits(x, { hidden, stepIndex: x['step_index']!, features: x['features']! }) }
    },
    {
      inputs: {
        ...Object.fromEntries(
          Object.entries(weightShapes(TINY_MODEL)).map(([name, shape]) => [
            name,
            { shape, dtype: 'float32' } as const,
          ]),
        ),
        tokens: grid,
        slots: grid,
        flags: grid,
        positions: { shape: [BATCH, LENGTH], dtype: 'float32' },
        step_index: { shape: [STEPS], dtype: 'int32' },
        features: { shape: [STEPS, TINY_MODEL.features], dtype: 'float32' },
      },
      weights,
      symbols: { batch: BATCH, length: LENGTH, steps: STEPS },
    },
  )
  const { files: _, format: __, ...facts } = openArtifact(dir).manifest
  writeArtifact(
    dir,
    { 'model.onnx': model, 'tokenizer.json': readFileSync(join(dir, 'tokenizer.json')) },
    facts,
  )
}
