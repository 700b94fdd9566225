// The service on its devices: WebGPU on a software Vulkan driver, and what it says and does when the driver is hidden.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SHIPPED_CRITIC } from '../../src/cli/options.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import { startTestService, type TestService } from '../fakes/service.ts'
import { WITHOUT_GPU, withSoftwareGpu } from '../fakes/software-gpu.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

const ITEM = { problem: 'Tom has 12 apples and eats 5.', steps: ['12 - 5 = 8', 'So he has 8 apples.'] }
const NO_DRIVER =
  'webgpu: no driver of a GPU was found; on Linux, WebGPU needs libvulkan1 and the Vulkan driver of the GPU'

interface Loaded {
  readonly message: string
  readonly device: string
  readonly precision: string
  readonly passed_over?: readonly string[]
}

/** What the log says of the critic that was loaded. */
const loaded = ({ lines }: TestService): Loaded =>
  lines.map(line => JSON.parse(line) as Loaded).find(({ message }) => message === 'critic loaded')!

interface Ready {
  readonly device: string
  readonly precision: string
  readonly critic: string
}

withSoftwareGpu('the service on WebGPU', gpu =>
  test('the service on WebGPU scores as the CPU does, with float32 whatever was asked, and names the device', async () => {
    const settings = { ...gpu, SPAR_DEVICE: 'webgpu', SPAR_PRECISION: 'int8' }
    const service = await startTestService(folder.path, { settings })
    try {
      const { device, precision, critic } = (await service.get('/readyz')) as Ready
      assert.deepEqual([device, precision], ['webgpu', 'float32'])
      const answer = (await service.post('/critique', ITEM)) as { steps: { score: number }[] }
      const scorer = await openScorer(SHIPPED_CRITIC)
      const [want] = await scorer.judge([ITEM])
      await scorer.release()
      assert.equal(answer.steps.length, 2)
      for (const [i, { score }] of answer.steps.entries())
        assert.ok(Math.abs(score - want!.steps[i]!.score!) < 1e-3, `${score} for ${want!.steps[i]!.score}`)
      const metrics = await (await fetch(`${service.url}/metrics`)).text()
      assert.match(metrics, new RegExp(`^spar_critic_serving{version="${critic}",device="webgpu"} 1$`, 'm'))
      assert.match(metrics, /^spar_critic_run_rows_count{critic="[^"]+",device="webgpu"} [1-9]/m)
      const { passed_over, ...said } = loaded(service)
      assert.deepEqual([said.device, said.precision, passed_over], ['webgpu', 'float32', undefined])
    } finally {
      assert.equal(await service.stop(), 0)
    }
  }),
)

test('where WebGPU is wanted and there is no driver, nothing serves and /readyz says why in one sentence', async () => {
  const settings = { ...WITHOUT_GPU, SPAR_DEVICE: 'webgpu' }
  const service = await startTestService(folder.path, { settings, untilListening: true })
  try {
    const problem = async () => (await service.get('/readyz')) as { code: string; detail: string }
    while ((await problem()).detail === 'The critic is loading.') await sleep(50)
    const { code, detail } = await problem()
    assert.deepEqual([code, detail], ['NOT_READY', `no device could run the critic (${NO_DRIVER})`])
  } finally {
    await service.stop()
  }
})

for (const [wanted, why] of [
  ['webgpu,cpu', NO_DRIVER],
  ['auto', 'cuda: the CUDA provider of onnxruntime-node is not installed'],
] as const)
  test(`with ${wanted} and no driver the CPU serves, and the log says why`, async () => {
    const settings = { ...WITHOUT_GPU, SPAR_DEVICE: wanted }
    const service = await startTestService(folder.path, { settings })
    try {
      assert.equal(((await service.get('/readyz')) as Ready).device, 'cpu')
      const { device, passed_over } = loaded(service)
      assert.deepEqual([device, passed_over], ['cpu', [why]])
      const answer = (await service.post('/critique', ITEM)) as { steps: { score: number }[] }
      assert.equal(answer.steps.length, 2)
    } finally {
      await service.stop()
    }
  })
