// The GPU path without a GPU: a short training run on WebGPU over a software Vulkan driver ends where the CPU's ends.
// Runs where the driver is found (Debian: apt-get install chromium, or SPAR_VULKAN_DIR); skipped elsewhere.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { createSampler } from '../../../src/train/fit/sampler.ts'
import { createRng } from '../../../src/train/rng.ts'
import { BUCKETS, shortRun } from '../fit/run.ts'
import { toyPairs } from '../fit/toys.ts'

const DIR = process.env['SPAR_VULKAN_DIR'] ?? '/usr/lib/chromium'
const DRIVER = join(DIR, 'vk_swiftshader_icd.json')
const AS_CHILD = 'SPAR_WEBGPU_CHILD'

/** Losses of two plain steps, and of two in micro-batches with dropout; all batches of one shape, as shaders take long to compile. */
async function losses(device: 'cpu' | 'webgpu'): Promise<number[]> {
  const engine = tracedEngine({ threads: 1, device })
  const rng = createRng('webgpu')
  const pool = { name: 'pairs', share: 1, units: toyPairs(rng, 12) }
  const draw = () => createSampler([pool], { ...BUCKETS, lengths: [64], tokens: 128 }, rng.fork('draw'))
  const plain = await shortRun({ engine, draw: draw(), budget: { steps: 2 } })
  const dropout = { rate: 0.1, seed: 1 }
  const parts = await shortRun({ engine, draw: draw(), budget: { steps: 2 }, accumulate: 2, dropout })
  return [...plain.reports, ...parts.reports].map(report => report.loss)
}

if (process.env[AS_CHILD]) process.stdout.write(JSON.stringify(await losses('webgpu')))
else
  test('training on WebGPU gives the losses of the CPU', {
    skip: existsSync(DRIVER) ? false : `no ${DRIVER}`,
    timeout: 600_000,
  }, async () => {
    // The loader reads these variables when a process starts, so the run has a process of its own.
    const env = { ...process.env, [AS_CHILD]: '1', VK_DRIVER_FILES: DRIVER, LD_LIBRARY_PATH: DIR }
    const { NODE_TEST_CONTEXT: _, ...plain } = env as Record<string, string>
    const got = JSON.parse(
      execFileSync(process.execPath, [import.meta.filename], { env: plain, encoding: 'utf8' }),
    )
    const want = await losses('cpu')
    want.forEach((loss, i) => {
      assert.ok(
        Math.abs(got[i] - loss) < 1e-3 * Math.max(1, Math.abs(loss)),
        `step ${i}: ${got[i]} for ${loss}`,
      )
    })
    assert.equal(got.length, 4)
  })
