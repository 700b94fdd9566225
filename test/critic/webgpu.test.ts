// A critic on WebGPU over a software Vulkan driver: scores as on the CPU, with and without what is kept of prefixes, beside another
// critic, and the end of a worker whose device fails.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CritiqueItem } from '../../src/critic/types.ts'
import {
  startWorkerCritic,
  type WorkerCritic,
  type WorkerCriticOptions,
} from '../../src/critic/worker-critic.ts'
import { AppError } from '../../src/errors.ts'
import { isGpuChild, resultOf, withSoftwareGpu } from '../fakes/software-gpu.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const ITEMS: readonly CritiqueItem[] = [
  { problem: 'Tom has 3 apples.', steps: ['3 + 1 = 4', 'Done.'] },
  { problem: 'Tom has 12 apples and eats 5.', steps: ['12 - 5 = 8', 'So 8.', 'The answer is 8.'] },
]
const OTHER: CritiqueItem = { problem: 'How many?', steps: ['48 / 2 = 24 clips'] }
/** Its attention needs more memory in one piece, 2 GiB, than the driver gives. */
const HUGE: CritiqueItem = { problem: 'x '.repeat(17_000), steps: ['Done.'] }

const scoresOf = async (critic: WorkerCritic, items: readonly CritiqueItem[]) =>
  (await critic.judge(items)).map(({ steps }) => steps.map(({ score }) => score!))

type Scores = Awaited<ReturnType<typeof scoresOf>>

/** The same two critics on every device. */
async function withTwoCritics<T>(body: (first: string, second: string) => Promise<T>): Promise<T> {
  const folder = tempFolder()
  const [first, second] = [join(folder.path, 'first'), join(folder.path, 'second')]
  try {
    await writeTinyCritic(first, { maxLength: 2 ** 15 })
    await writeTinyCritic(second, { seed: 2 })
    return await body(first, second)
  } finally {
    folder.remove()
  }
}

async function onGpu(first: string, second: string) {
  const start = (dir: string, options: Partial<WorkerCriticOptions> = {}) =>
    startWorkerCritic(dir, { devices: ['webgpu'], threads: 1, ...options })
  const knew: number[] = []
  const ends: string[] = []
  const serving = await start(first, {
    prefixCacheBytes: 1e6,
    onRun: ({ cachedTokens }) => void knew.push(cachedTokens),
    onEnd: ({ failure }) => void ends.push(failure?.message ?? 'closed'),
  })
  const scores = await scoresOf(serving, ITEMS)
  const again = await scoresOf(serving, ITEMS)
  const cached = knew.at(-1)!

  // As in a swap under load: another critic is opened, warms up and serves while this one computes.
  let isOpen = false
  const opening = start(second).finally(() => {
    isOpen = true
  })
  const meanwhile: Scores = []
  for (let i = 0; !isOpen; i++) {
    const [, known] = await scoresOf(serving, [{ ...OTHER, steps: [`${i} + ${i} = ${2 * i}`] }, ITEMS[0]!])
    meanwhile.push(known!)
  }
  const next = await opening
  const [together] = await Promise.all([
    Promise.all([0, 1, 2].map(() => scoresOf(next, [OTHER]))),
    ...[0, 1, 2].map(() => scoresOf(serving, ITEMS)),
  ])

  const failure = await serving.judge([HUGE]).then(
    () => 'none',
    (error: unknown) => (error instanceof AppError ? error.code : 'a bug'),
  )
  const isDead = serving.dead()
  await serving.close()
  const anew = await start(first)
  const [afterwards] = await Promise.all([scoresOf(anew, ITEMS), next.close()])
  await anew.close()
  const { device, precision } = anew
  return { device, precision, scores, again, cached, meanwhile, together, failure, isDead, ends, afterwards }
}

function assertClose(got: Scores, want: Scores): void {
  assert.deepEqual(
    got.map(steps => steps.length),
    want.map(steps => steps.length),
  )
  for (const [i, steps] of want.entries())
    for (const [k, score] of steps.entries())
      assert.ok(Math.abs(got[i]![k]! - score) < 1e-3, `${got[i]![k]} for ${score}`)
}

if (isGpuChild) process.stdout.write(JSON.stringify(await withTwoCritics(onGpu)))
else
  withSoftwareGpu('a critic on WebGPU', gpu =>
    test('a critic on WebGPU scores as on the CPU, through a swap under load, and ends with its device', async () => {
      const got = (await resultOf(import.meta.filename, gpu)) as Awaited<ReturnType<typeof onGpu>>
      const [want, wantOther] = await withTwoCritics(async (...dirs) => {
        const critics = await Promise.all(
          dirs.map(dir => startWorkerCritic(dir, { devices: ['cpu'], threads: 1 })),
        )
        const scores = [await scoresOf(critics[0]!, ITEMS), await scoresOf(critics[1]!, [OTHER])] as const
        await Promise.all(critics.map(critic => critic.close()))
        return scores
      })
      assert.deepEqual([got.device, got.precision], ['webgpu', 'float32'])
      assertClose(got.scores, want)
      assert.deepEqual(got.again, got.scores)
      assert.ok(got.cached > 0, 'the second time all was known')
      assert.ok(got.meanwhile.length > 0)
      for (const scores of got.meanwhile) assertClose([scores], [want[0]!])
      for (const scores of got.together) assertClose(scores, wantOther)
      assert.deepEqual([got.failure, got.isDead], ['CRITIC_FAILED', true])
      assert.deepEqual(got.ends, ['the critic’s device failed'])
      assertClose(got.afterwards, want)
    }),
  )
