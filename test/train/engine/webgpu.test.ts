// The GPU path without a GPU: a short training run on WebGPU over a software Vulkan driver ends where the CPU's ends.
// Runs where the driver is found (Debian: apt-get install chromium, or SPAR_VULKAN_DIR); skipped elsewhere.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { shortRun } from '../fit/run.ts'

const DIR = process.env['SPAR_VULKAN_DIR'] ?? '/usr/lib/chromium'
const DRIVER = join(DIR, 'vk_swiftshader_icd.json')
const AS_CHILD = 'SPAR_WEBGPU_CHILD'

/** Losses of three steps, and of three more with accumulation. */
async function losses(device: 'cpu' | 'webgpu'): Promise<number[]> {
  const engine = tracedEngine({ threads: 1, device })
  const plain = await shortRun({ engine, budget: { steps: 3 } })
  const parts = await shortRun({
    engine,
    budget: { steps: 3 },
    accumulate: 2,
    dropout: { rate: 0.1, seed: 1 },
  })
  return [...plain.reports, ...parts.reports].map(report => report.loss)
}

if (process.env[AS_CHILD]) process.stdout.write(JSON.stringify(await losses('webgpu')))
else
  test('training on WebGPU gives the losses of the CPU', {
    skip: existsSync(DRIVER) ? false : `no ${DRIVER}`,
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
    assert.equal(got.length, 6)
  })
