// The GPU path without a GPU: a short training run on WebGPU over a software Vulkan driver ends where the CPU's ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { createSampler } from '../../../src/train/fit/sampler.ts'
import { createRng } from '../../../src/train/rng.ts'
import { isGpuChild, resultOf, withSoftwareGpu } from '../../fakes/software-gpu.ts'
import { BUCKETS, shortRun } from '../fit/run.ts'
import { toyPairs } from '../fit/toys.ts'

/** Losses of two plain steps, and of two in micro-batches with dropout; all batches of one shape, as shaders take long to compile. */
async function losses(device: 'cpu' | 'webgpu'): Promise<number[]> {
  const engine = tracedEngine({ threads: 1, device })
  // Shaders are compiled once for as long as some session is open.
  const open = await engine.compile(({ x }) => ({ y: x!.square() }), { x: { shape: [1], dtype: 'float32' } })
  const rng = createRng('webgpu')
  const pool = { name: 'pairs', share: 1, units: toyPairs(rng, 12) }
  const draw = () => createSampler([pool], { ...BUCKETS, lengths: [64], tokens: 128 }, rng.fork('draw'))
  const plain = await shortRun({ engine, draw: draw(), budget: { steps: 2 } })
  const dropout = { rate: 0.1, seed: 1 }
  const parts = await shortRun({ engine, draw: draw(), budget: { steps: 2 }, accumulate: 2, dropout })
  await open.release()
  return [...plain.reports, ...parts.reports].map(report => report.loss)
}

if (isGpuChild) process.stdout.write(JSON.stringify(await losses('webgpu')))
else
  withSoftwareGpu('training on WebGPU', gpu =>
    test('training on WebGPU gives the losses of the CPU', async () => {
      const got = (await resultOf(import.meta.filename, gpu)) as number[]
      const want = await losses('cpu')
      want.forEach((loss, i) => {
        assert.ok(
          Math.abs(got[i]! - loss) < 1e-3 * Math.max(1, Math.abs(loss)),
          `step ${i}: ${got[i]} for ${loss}`,
        )
      })
      assert.equal(got.length, 4)
    }),
  )
