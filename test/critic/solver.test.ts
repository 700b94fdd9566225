// The built-in solver: seeded texts, steps, cancellation, and channels that agree with what the model was trained on.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { encodeItem } from '../../src/critic/encode.ts'
import { lazySolver, type Solver, type SolverRequest, startSolver } from '../../src/critic/solver.ts'
import {
  channelsAfter,
  drawToken,
  openSolver,
  type SampleRequest,
  type SolverModel,
} from '../../src/critic/solver-model.ts'
import { EOS, PAD, PROBLEM, STEP } from '../../src/critic/tokenizer.ts'
import { AppError, type ErrorCode } from '../../src/errors.ts'
import { generateProblems } from '../../src/train/recipe/built-in.ts'
import { createRng } from '../../src/train/rng.ts'
import { tempFolder, tinyTokenizer, writeTinyBase, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const dir = join(folder.path, 'base')
const endless = join(folder.path, 'endless')
let model: SolverModel
let solver: Solver | null = null

before(async () => {
  await writeTinyBase(dir, { version: 'tiny-base@1.0.0' })
  await writeTinyBase(endless, { endless: true, maxLength: 4096 })
  model = await openSolver(dir)
})
afterEach(async () => {
  await solver?.close()
  solver = null
})
after(async () => {
  await model.release()
  folder.remove()
})

const PROBLEM_TEXT = 'Tom has 12 apples and eats 5. How many are left?'
const request = (seed: number, change: Partial<SampleRequest> = {}): SampleRequest => ({
  until: 'end',
  temperature: 1,
  maxTokens: 60,
  seed,
  ...change,
})
const SEEDS = Array.from({ length: 12 }, (_, i) => i)
const stay = new AbortController().signal
const hasCode = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code
const sample = (steps: readonly string[], requests: readonly SampleRequest[]) =>
  model.sample(PROBLEM_TEXT, steps, requests)

test('the same seed gives the same text, alone or in a batch; other seeds give others', async () => {
  const batch = await sample(
    ['12 - 5 = 7.'],
    SEEDS.map(seed => request(seed)),
  )
  assert.ok(new Set(batch.map(s => s.text)).size >= 10)
  for (const seed of SEEDS) assert.deepEqual(await sample(['12 - 5 = 7.'], [request(seed)]), [batch[seed]])
})

test('the text depends on the problem and the steps given', async () => {
  const [first] = await sample([], [request(1)])
  const [second] = await sample(['12 - 5 = 7.'], [request(1)])
  const [third] = await model.sample('Another problem', [], [request(1)])
  assert.equal(new Set([first!.text, second!.text, third!.text]).size, 3)
})

test('temperature 0 is the most likely text, whatever the seed', async () => {
  const texts = await sample(
    [],
    SEEDS.map(seed => request(seed, { temperature: 0, maxTokens: 12 })),
  )
  assert.equal(new Set(texts.map(s => s.text)).size, 1)
})

test('until "step" returns the first step of the whole text, and says whether the solution ends there', async () => {
  const wholes = await sample(
    [],
    SEEDS.map(seed => request(seed)),
  )
  const firsts = await sample(
    [],
    SEEDS.map(seed => request(seed, { until: 'step' })),
  )
  let severalSteps = 0
  wholes.forEach((whole, i) => {
    const steps = whole.text.split('\n\n')
    if (steps.length > 1) severalSteps++
    assert.equal(firsts[i]!.text, steps[0])
    assert.ok(firsts[i]!.completionTokens <= whole.completionTokens)
  })
  assert.ok(severalSteps >= 3, 'some texts have several steps')
})

test('tokens are counted and limited', async () => {
  const [short] = await sample([], [request(3, { maxTokens: 5 })])
  const [long] = await sample([], [request(3, { maxTokens: 6 })])
  assert.deepEqual([short!.completionTokens, short!.ended], [5, false])
  assert.ok(long!.text.startsWith(short!.text))
  const prompt = encodeItem(tinyTokenizer, { problem: PROBLEM_TEXT, steps: ['12'] }, 1000).rows[0]!.tokens
    .length
  assert.equal((await sample(['12'], [request(1)]))[0]!.promptTokens, prompt)
})

test('a text ends at the model’s window', async () => {
  const [first] = await sample(
    [],
    SEEDS.map(seed => request(seed, { maxTokens: 10_000 })),
  )
  assert.ok(first!.promptTokens + first!.completionTokens <= 128)
})

test('a request that is gone stops, the others go on', async () => {
  const requests = SEEDS.map(seed => request(seed))
  const all = await sample([], requests)
  let asked = 0
  const some = await model.sample(PROBLEM_TEXT, [], requests, i => i === 4 && ++asked > 3)
  assert.equal(some[4]!.completionTokens, 3)
  some.forEach((s, i) => {
    if (i !== 4) assert.deepEqual(s, all[i])
  })
})

test('tokens are drawn in proportion to their probability, and never padding or a problem’s end', () => {
  const logits = new Float32Array(8).fill(-20)
  logits[PAD] = 9
  logits[PROBLEM] = 9
  logits[STEP] = Math.log(1)
  logits[5] = Math.log(3)
  const random = createRng(1).uniform
  const counts = new Map<number, number>()
  for (let i = 0; i < 4000; i++) {
    const token = drawToken(logits, 1, random)
    counts.set(token, (counts.get(token) ?? 0) + 1)
  }
  assert.deepEqual([...counts.keys()].toSorted(), [STEP, 5])
  assert.ok(Math.abs(counts.get(5)! / 4000 - 0.75) < 0.03)
  assert.equal(drawToken(logits, 0, random), 5)
  assert.equal(drawToken(new Float32Array(8).fill(Number.NaN), 1, random), EOS)
})

test('the channels of a sampled token are those it has in training text', () => {
  // Where a number goes on behind a dot, the sampler cannot know it yet; anything else would be a skew worth mending.
  let [tokens, different] = [0, 0]
  for (const { problem, steps } of generateProblems(createRng('channels'), 60, 'train')) {
    const row = encodeItem(tinyTokenizer, { problem, steps }, 100_000).rows[0]!
    const done: string[] = []
    let current: number[] = []
    for (let i = row.tokens.indexOf(PROBLEM) + 1; i < row.tokens.length; i++) {
      const token = row.tokens[i]!
      const next = token === STEP ? '' : tinyTokenizer.decode([token])
      const { slot, flag } = channelsAfter(problem, done, tinyTokenizer.decode(current), next)
      tokens++
      if (slot !== row.slots[i] || flag !== row.flags[i]) different++
      current.push(token)
      if (token === STEP) {
        done.push(tinyTokenizer.decode(current))
        current = []
      }
    }
  }
  assert.ok(tokens > 3000)
  assert.ok(different <= tokens / 100, `${different} of ${tokens} differ`)
})

const ask = (seed: number, change: Partial<SolverRequest> = {}): SolverRequest => ({
  ...request(seed),
  problem: PROBLEM_TEXT,
  steps: [],
  ...change,
})

test('the worker answers each request as the model would', async () => {
  solver = await startSolver(dir, { threads: 1 })
  assert.equal(solver.version, 'tiny-base@1.0.0')
  const asked = SEEDS.map(seed =>
    ask(seed, { steps: seed % 3 === 0 ? ['12 - 5 = 7.'] : [], until: seed % 2 ? 'step' : 'end' }),
  )
  const got = await Promise.all(asked.map(r => solver!.sample(r, stay)))
  for (const [i, r] of asked.entries()) assert.deepEqual(got[i], (await sample(r.steps, [r]))[0])
})

test('more requests for one prompt than fit a batch are all answered', async () => {
  solver = await startSolver(dir, { threads: 1 })
  const got = await Promise.all(
    Array.from({ length: 40 }, (_, i) => solver!.sample(ask(i, { maxTokens: 3 }), stay)),
  )
  assert.equal(got.length, 40)
})

test('a cancelled request rejects at once and frees the worker', async () => {
  solver = await startSolver(endless, { threads: 1 })
  const leaving = new AbortController()
  // A full batch of texts as long as the window: some twenty seconds if it went on.
  const long = SEEDS.map(seed =>
    solver!.sample(ask(seed, { temperature: 0.3, maxTokens: 4000 }), leaving.signal),
  )
  const waiting = solver.sample(ask(2, { steps: ['x'], maxTokens: 4000 }), leaving.signal)
  setTimeout(() => leaving.abort(new Error('gone home')), 50)
  await Promise.all([...long, waiting].map(answer => assert.rejects(answer, /gone home/)))
  const start = performance.now()
  assert.equal((await solver.sample(ask(3, { maxTokens: 4 }), stay)).completionTokens, 4)
  assert.ok(performance.now() - start < 2000)
  await assert.rejects(solver.sample(ask(4), AbortSignal.abort(new Error('never came'))), /never came/)
})

test('closing ends what is under way, whatever the worker computes just then', async () => {
  for (const afterMs of [0, 20, 70]) {
    const closed = await startSolver(endless, { threads: 1 })
    const long = SEEDS.map(seed => closed.sample(ask(seed, { temperature: 0.3, maxTokens: 4000 }), stay))
    const ended = [...long, closed.sample(ask(2, { steps: ['x'] }), stay)].map(answer =>
      assert.rejects(answer, hasCode('LLM_ERROR')),
    )
    await new Promise(resolve => setTimeout(resolve, afterMs))
    await Promise.all([closed.close(), closed.close(), ...ended])
    await assert.rejects(closed.sample(ask(1), stay), hasCode('LLM_ERROR'))
  }
})

/** Starts a solver; `thread` is its worker. */
async function startSeen(): Promise<{ started: Solver; thread: Worker }> {
  const threads: Worker[] = []
  const seen = (thread: Worker) => threads.push(thread)
  process.on('worker', seen)
  const started = await startSolver(dir, { threads: 1 })
  process.off('worker', seen)
  return { started, thread: threads[0]! }
}

test('when the worker dies its requests fail and nothing hangs', async () => {
  const { started: lost, thread } = await startSeen()
  const ended = [1, 2].map(seed => assert.rejects(lost.sample(ask(seed), stay), hasCode('LLM_ERROR')))
  thread.postMessage(null) // a bug in the worker: its handler throws on this, and the thread ends
  await Promise.all(ended)
  await assert.rejects(lost.sample(ask(3), stay), hasCode('LLM_ERROR'))
  await lost.close()
})

test('a request that the model fails on fails alone, and what is answered quotes nothing of the error', async () => {
  solver = await startSolver(dir, { threads: 1 })
  const broken = solver.sample(ask(1, { steps: [7 as unknown as string] }), stay)
  await assert.rejects(broken, (error: unknown) => {
    assert.ok(hasCode('LLM_ERROR')(error))
    assert.equal((error as AppError).message, 'The built-in solver failed on this request.')
    assert.ok((error as AppError).cause instanceof TypeError)
    return true
  })
  assert.ok(await solver.sample(ask(1), stay))
})

test('a folder that is no base is refused', async () => {
  const critic = join(folder.path, 'critic')
  await writeTinyCritic(critic)
  for (const path of [critic, join(folder.path, 'nowhere')]) {
    await assert.rejects(openSolver(path), hasCode('CRITIC_INVALID'))
    await assert.rejects(startSolver(path, { threads: 1 }), hasCode('CRITIC_INVALID'))
  }
})

test('a solver that takes long to start does not keep a caller that has gone, and serves the next one', async () => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const lazy = lazySolver(async () => {
    await started
    return { sample: async (text: string) => text.length, dead: () => false, close: async () => {} }
  })
  const gone = new Error('gone')
  const caller = new AbortController()
  const waiting = lazy.sample('abc', caller.signal)
  caller.abort(gone)
  await assert.rejects(waiting, error => error === gone)
  await assert.rejects(lazy.sample('abc', AbortSignal.abort(gone)), error => error === gone)
  start()
  assert.equal(await lazy.sample('abc', new AbortController().signal), 3)
  await lazy.close()
})

test('closing does not wait for a model that is still loading, and closes it once it has loaded', async () => {
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  let closed = 0
  const close = async () => void closed++
  const lazy = lazySolver(async () => {
    await started
    return { sample: async (text: string) => text.length, dead: () => false, close }
  }, 50)
  const caller = new AbortController()
  const waiting = lazy.sample('abc', caller.signal)
  caller.abort(new Error('gone'))
  await assert.rejects(waiting, /gone/)
  const begunAt = performance.now()
  await lazy.close()
  assert.ok(performance.now() - begunAt < 5000)
  assert.equal(closed, 0)
  start()
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(closed, 1)
})

test('a solver starts with its first request, once, and again when its start failed or its worker died', async () => {
  const all: Awaited<ReturnType<typeof startSeen>>[] = []
  let fails = true
  const lazy = lazySolver(async () => {
    if (fails) throw new AppError('LLM_ERROR', 'no memory')
    all.push(await startSeen())
    return all.at(-1)!.started
  })
  await assert.rejects(lazy.sample(ask(1), stay), /no memory/)
  fails = false
  const [first, second] = await Promise.all([lazy.sample(ask(1), stay), lazy.sample(ask(1), stay)])
  assert.deepEqual(first, second)
  assert.equal(all.length, 1)
  await all[0]!.thread.terminate()
  const [third] = await Promise.all([lazy.sample(ask(1), stay), lazy.sample(ask(1), stay)])
  assert.deepEqual(third, first)
  assert.equal(all.length, 2)
  await lazy.close()
  assert.ok(all[1]!.started.dead())
  await assert.rejects(lazy.sample(ask(1), stay), /was closed/)
  assert.equal(all.length, 2)
})
