// The critic in its worker: order and scores under load, a full queue, departed clients, draining, and a worker that dies.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { Device } from '../../src/critic/device.ts'
import { openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import type { Critique, CritiqueItem, Timing } from '../../src/critic/types.ts'
import {
  startWorkerCritic,
  type WorkerCritic,
  type WorkerCriticOptions,
} from '../../src/critic/worker-critic.ts'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import { exportCritic, readWeights } from '../../src/train/export.ts'
import { TINY_MODEL, tempFolder, tinyTokenizer, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const dir = join(folder.path, 'critic')
let critic: WorkerCritic | null = null

before(() => writeTinyCritic(dir, { version: 'tiny@2.0.0' }))
afterEach(async () => {
  await critic?.close()
  critic = null
})
after(() => folder.remove())

async function start(options: Partial<WorkerCriticOptions> = {}): Promise<WorkerCritic> {
  critic = await startWorkerCritic(dir, { devices: ['cpu'], threads: 1, ...options })
  return critic
}

const item = (n: number): CritiqueItem => ({
  problem: `Tom has ${n} apples.`,
  steps: [`${n} + 1 = ${n + 1}`, 'Done.'],
})
/** Keeps the worker busy long enough for requests to queue behind it. */
const LONG: CritiqueItem = {
  problem: 'Long',
  steps: Array.from({ length: 300 }, (_, i) => `Then ${i} clips in May.`),
}
const hasCode = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code
const scores = (critiques: readonly Critique[]) => critiques.map(c => c.steps.map(step => step.score!))

test('many requests at once are answered each with its own items, in order', async () => {
  const { version, judge, device, threshold } = await start()
  assert.deepEqual([version, device, threshold], ['tiny@2.0.0', 'cpu', 0.5])
  const requests = Array.from({ length: 30 }, (_, i) =>
    Array.from({ length: 1 + (i % 4) }, (_, k) => item(10 * i + k)),
  )
  const answers = await Promise.all(requests.map(items => judge(items)))
  const scorer = await openScorer(dir)
  for (const [i, items] of requests.entries()) {
    const want = scores(await scorer.judge(items))
    scores(answers[i]!).forEach((steps, k) => {
      steps.forEach((score, s) => {
        assert.ok(Math.abs(score - want[k]![s]!) <= 1e-5)
      })
    })
  }
  await scorer.release()
})

test('requests that wait are scored together, and the metrics hear of each run and each answer', async () => {
  const runs: number[] = []
  const timings: Timing[] = []
  const told: Timing[] = []
  const { judge } = await start({
    onRun: ({ critic, device, rows, tokens }) => {
      assert.deepEqual([critic, device], ['tiny@2.0.0', 'cpu'])
      assert.ok(tokens >= rows)
      runs.push(rows)
    },
    onAnswer: ({ critic, device, timing }) => {
      assert.deepEqual([critic, device], ['tiny@2.0.0', 'cpu'])
      timings.push(timing)
    },
  })
  const hear = (timing: Timing) => void told.push(timing)
  await Promise.all(
    [[LONG], ...Array.from({ length: 20 }, (_, i) => [item(i)])].map(items => judge(items, undefined, hear)),
  )
  assert.ok(runs.length < 20, `${runs}`)
  assert.equal(timings.length, 21)
  assert.deepEqual(told, timings)
  for (const { queue, tokenise, infer, total } of timings) {
    assert.ok(queue >= 0 && tokenise > 0 && infer > 0)
    assert.ok(Math.abs(queue + tokenise + infer - total) < 1e-6)
  }
})

test('what was scored is known to the next request, to no other critic, and told to the metrics', async () => {
  const other = join(folder.path, 'other')
  await writeTinyCritic(other, { version: 'tiny@3.0.0', seed: 2 })
  const runs: { critic: string; tokens: number; cachedTokens: number; cacheBytes: number }[] = []
  const ended: string[] = []
  const options: WorkerCriticOptions = {
    devices: ['cpu'],
    threads: 1,
    prefixCacheBytes: 1e6,
    onRun: run => void runs.push(run),
    onEnd({ critic, failure }) {
      ended.push(critic)
      assert.equal(failure, null)
    },
  }
  const answers: number[][] = []
  for (const folder of [dir, other]) {
    const worker = await startWorkerCritic(folder, options)
    const [first] = scores(await worker.judge([item(1)]))
    assert.deepEqual(scores(await worker.judge([item(1)])), [first])
    answers.push(first!)
    await worker.close()
  }
  const tokens = runs[0]!.tokens
  const told = ['tiny@2.0.0', 'tiny@3.0.0'].flatMap(critic => [
    [critic, tokens, 0],
    [critic, 0, tokens],
  ])
  assert.deepEqual(
    runs.map(run => [run.critic, run.tokens, run.cachedTokens]),
    told,
  )
  assert.ok(runs.every(({ cacheBytes }) => cacheBytes > 0 && cacheBytes <= 1e6))
  assert.notDeepEqual(answers[0], answers[1])
  assert.deepEqual(ended, ['tiny@2.0.0', 'tiny@3.0.0'])
})

test('no items are answered with no critiques', async () => {
  const { judge } = await start()
  assert.deepEqual(await judge([]), [])
})

test('a full queue refuses, says which limit and when to try again, and takes requests once there is room', async () => {
  const { judge } = await start({ maxItems: 5 })
  const busy = judge([LONG])
  const waiting = [judge([item(1), item(2)]), judge([item(3)])]
  await assert.rejects(
    judge([item(4), item(5)]),
    (error: unknown) =>
      error instanceof AppError &&
      error.code === 'OVERLOADED' &&
      error.retryAfterS === 1 &&
      error.limit === 'critic_items',
  )
  waiting.push(judge([item(6)]))
  await assert.rejects(judge([item(7)]), hasCode('OVERLOADED'))
  await Promise.all([busy, ...waiting])
  assert.equal((await judge([item(4), item(5)])).length, 2)
})

test('a long request is scored in parts, in order, and lets a short one that came later go first', async () => {
  const { judge } = await start({ batchTokens: 512 })
  const order: string[] = []
  const long = [LONG, item(1), item(2), LONG]
  const [answer] = await Promise.all([
    judge(long).then(critiques => {
      order.push('long')
      return critiques
    }),
    judge([item(3)]).then(() => order.push('short')),
  ])
  assert.deepEqual(order, ['short', 'long'])
  assert.deepEqual(
    answer.map(critique => critique.steps.length),
    long.map(({ steps }) => steps.length),
  )
})

test('what is left of a long request is not scored when its client leaves, and others beside it are', async () => {
  const rows: number[] = []
  const leaving = new AbortController()
  const { judge } = await start({
    batchTokens: 512,
    onRun: run => {
      rows.push(run.rows)
      leaving.abort(new Error('gone home'))
    },
  })
  const left = judge(Array(100).fill(LONG), leaving.signal)
  const stays = judge([item(1)])
  await assert.rejects(left, /gone home/)
  assert.equal((await stays).length, 1)
  await judge([item(2)])
  const total = rows.reduce((a, b) => a + b)
  assert.ok(total < 1000, `${total} rows of more than 3000`)
})

test('a departed client is let go at once and gives its place back', async () => {
  const { judge } = await start({ maxItems: 3 })
  const order: string[] = []
  const busy = judge([LONG]).then(() => order.push('long'))
  const leaving = new AbortController()
  const left = assert
    .rejects(judge([item(1), item(2)], leaving.signal), /gone home/)
    .then(() => order.push('left'))
  leaving.abort(new Error('gone home'))
  await left
  await Promise.all([busy, judge([item(3), item(4)])])
  assert.deepEqual(order, ['left', 'long'])
})

test('a client that has gone before it asks is not admitted', async () => {
  const { judge } = await start()
  await assert.rejects(judge([item(1)], AbortSignal.abort(new Error('never came'))), /never came/)
})

test('a signal shared by many requests keeps no listeners once they are answered', async () => {
  const { judge } = await start()
  const shared = new AbortController()
  let listeners = 0
  const { addEventListener, removeEventListener } = shared.signal
  shared.signal.addEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof addEventListener>
  ) {
    listeners++
    addEventListener.apply(this, args)
  } as typeof addEventListener
  shared.signal.removeEventListener = function (
    this: AbortSignal,
    ...args: Parameters<typeof addEventListener>
  ) {
    listeners--
    removeEventListener.apply(this, args)
  } as typeof removeEventListener
  await Promise.all(Array.from({ length: 20 }, (_, i) => judge([item(i)], shared.signal)))
  assert.equal(listeners, 0)
})

test('closing, even twice, lets waiting requests finish; later ones are refused', async () => {
  const worker = await start()
  const answers = [worker.judge([LONG]), ...Array.from({ length: 5 }, (_, i) => worker.judge([item(i)]))]
  await Promise.all([worker.close(), worker.close()])
  assert.equal((await Promise.all(answers)).length, 6)
  assert.ok(worker.dead())
  await assert.rejects(worker.judge([item(1)]), hasCode('CRITIC_FAILED'))
})

/** Runs `body` and returns what it gave with the worker thread it started. */
async function withThread<T>(body: () => Promise<T>): Promise<[T, Worker]> {
  const threads: Worker[] = []
  const seen = (thread: Worker) => threads.push(thread)
  process.on('worker', seen)
  const result = await body()
  process.off('worker', seen)
  return [result, threads[0]!]
}

test('when the worker dies, what runs and what waits fails and nothing hangs', async () => {
  const failures: (AppError | null)[] = []
  const onEnd = ({ failure }: { failure: AppError | null }) => void failures.push(failure)
  const [worker, thread] = await withThread(() => start({ onEnd }))
  thread.postMessage(null) // a bug in the worker: its handler throws on this, and the thread ends
  const answers = [worker.judge([LONG]), worker.judge([item(1)]), worker.judge([item(2)])]
  for (const answer of answers) await assert.rejects(answer, hasCode('CRITIC_FAILED'))
  assert.ok(worker.dead())
  await assert.rejects(worker.judge([item(3)]), hasCode('CRITIC_FAILED'))
  await worker.close()
  assert.deepEqual(failures.map(hasCode('CRITIC_FAILED')), [true])
})

test('closing while a batch is computed waits for it: ending a computing worker would abort the process', async () => {
  for (const afterMs of [0, 15, 60]) {
    const worker = await start()
    const answer = worker.judge(Array(5).fill(LONG))
    await new Promise(resolve => setTimeout(resolve, afterMs))
    await worker.close()
    assert.equal((await answer).length, 5)
  }
})

test('a step that the model fails on fails its own request only', async () => {
  const narrow = join(folder.path, 'narrow')
  await writeTinyCritic(narrow)
  const { files: _, format: __, ...facts } = openArtifact(narrow).manifest
  const read = (file: string) => readFileSync(join(narrow, file))
  // A model without the last token of its tokenizer, and a manifest that says it has it.
  const vocab = TINY_MODEL.vocab - 1
  const weights = readWeights(TINY_MODEL, read('model.onnx'))
  const cut = { ...weights, embed: weights['embed']!.slice(0, vocab * TINY_MODEL.width) }
  const model = await exportCritic({ ...TINY_MODEL, vocab }, cut)
  writeArtifact(narrow, { 'model.onnx': model, 'tokenizer.json': read('tokenizer.json') }, facts)
  const token = tinyTokenizer.decode([vocab])
  critic = await startWorkerCritic(narrow, { devices: ['cpu'], threads: 1 })
  const { judge } = critic
  const busy = judge([LONG])
  const [bad, good] = [judge([{ problem: 'x', steps: [token] }]), judge([{ problem: 'y', steps: ['z'] }])]
  await Promise.all([assert.rejects(bad, hasCode('CRITIC_FAILED')), good, busy.catch(() => {})])
  assert.equal((await judge([{ problem: 'y', steps: ['z'] }])).length, 1)
})

test('a worker that ends before it is ready is an error, not a wait', async () => {
  const kill = (thread: Worker) => void thread.terminate()
  process.once('worker', kill)
  await assert.rejects(start(), hasCode('CRITIC_FAILED'))
})

test('a device that is not there falls back to the next, and none at all is an error', async () => {
  const missing = 'abacus' as Device
  const { device, passedOver } = await start({ devices: [missing, 'cpu'] })
  assert.equal(device, 'cpu')
  assert.match(passedOver.join(), /^abacus: [^,]+$/)
  await critic!.close()
  await assert.rejects(start({ devices: [missing] }), /abacus/)
})

for (const [name, bytes] of [
  ['noise', Buffer.from('not a model at all')],
  ['nothing', Buffer.alloc(0)],
  ['half a model', null],
] as const) {
  test(`a model file that is ${name} is refused`, async () => {
    const broken = join(folder.path, name)
    await writeTinyCritic(broken)
    const { files: _, format: __, ...facts } = openArtifact(broken).manifest
    const model = readFileSync(join(broken, 'model.onnx'))
    const tokenizer = readFileSync(join(broken, 'tokenizer.json'))
    const files = { 'model.onnx': bytes ?? model.subarray(0, model.length >> 1), 'tokenizer.json': tokenizer }
    writeArtifact(broken, files, facts) // its hashes are right
    await assert.rejects(
      startWorkerCritic(broken, { devices: ['cpu'], threads: 1 }),
      hasCode('CRITIC_FAILED'),
    )
    writeArtifact(
      broken,
      { ...files, 'model.onnx': model },
      { ...facts, model: { ...facts.model, vocab: 1 } },
    )
    await assert.rejects(
      startWorkerCritic(broken, { devices: ['cpu'], threads: 1 }),
      hasCode('CRITIC_INVALID'),
    )
  })
}
