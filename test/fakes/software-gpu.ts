// A GPU without a GPU: processes that see SwiftShader, a Vulkan driver that computes on the CPU, or no driver at all. Knows no test.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

type Env = Readonly<Record<string, string>>

const LOCAL = join(import.meta.dirname, '../../.local/vulkan')
const PLACES = [process.env['SPAR_VULKAN_DIR'] ?? LOCAL, LOCAL, '/usr/lib/chromium']

/** Hides every driver there may be: Vulkan's loader reads these variables when a process starts. */
export const WITHOUT_GPU: Env = { VK_DRIVER_FILES: '/nowhere', VK_ICD_FILENAMES: '/nowhere' }

/** Variables of a process that sees the driver; null where it is not installed. */
function findSoftwareGpu(): Env | null {
  for (const dir of PLACES) {
    const driver = join(dir, 'vk_swiftshader_icd.json')
    if (existsSync(driver) && existsSync(join(dir, 'libvulkan.so.1')))
      return { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dir }
  }
  return null
}

/** Runs `tests` where the driver is found. Elsewhere it skips them, in CI it fails them. */
export function withSoftwareGpu(name: string, tests: (gpu: Env) => void): void {
  const gpu = findSoftwareGpu()
  const skip = process.env['CI'] === 'true' ? false : 'test/tools/vulkan-driver.sh fetches the driver'
  if (gpu !== null) tests(gpu)
  else test(name, { skip }, () => assert.fail('CI has no Vulkan driver: .ci/run must fetch it'))
}

const CHILD = 'SPAR_GPU_CHILD'

/** Whether this process is one that `resultOf` started. */
export const isGpuChild = process.env[CHILD] !== undefined

/** Runs a file as a process that sees the GPU, and reads the JSON that it prints. */
export async function resultOf(file: string, gpu: Env): Promise<unknown> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    env: { ...env, ...gpu, [CHILD]: '1' },
  })
  return JSON.parse(stdout)
}
