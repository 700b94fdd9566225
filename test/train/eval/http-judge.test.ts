// A critic over HTTP, against a real Spar app and against small servers that misbehave.
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import { openHttpJudge } from '../../../src/train/eval/http-judge.ts'
import { listening } from '../../server/listening.ts'
import { createWorld } from '../../server/world.ts'

const world = createWorld({ after })
const items = Array.from({ length: 150 }, (_, i) => ({
  problem: `What is ${i} + 1?`,
  steps: i % 3 === 0 ? [`${i} + 1 = ${i + 1}`] : [`${i} + 1 = ${i + 2}`, '???', 'no sum'],
}))
const want = items.map(({ steps }) => (steps.length === 1 ? [0.9] : [0.1, null, 0.6]))

test('scores come in order from batches of at most 64, by the critic that served, and nothing is kept for training', () =>
  listening(world.app, async url => {
    const before = world.judged.length
    const judge = await openHttpJudge(url)
    assert.deepEqual([judge.name, judge.threshold, judge.isProbability], ['sums@2', 0.5, true])
    assert.deepEqual(await judge.judge(items), want)
    const sizes = world.judged.slice(before).map(batch => batch.length)
    assert.deepEqual(
      sizes.toSorted((a, b) => a - b),
      [1, 22, 64, 64],
    )
    assert.deepEqual(await judge.judge([]), [])
    assert.equal((await world.traffic()).length, 0)
  }))

test('a version can be asked for, and stays through a swap', () =>
  listening(world.app, async url => {
    assert.equal((await openHttpJudge(`${url}/`, { version: 'sums@1' })).name, 'sums@1')
    const judge = await openHttpJudge(url)
    await world.deps.critics.promote('sums@1', 'req')
    assert.deepEqual(await judge.judge(items), want) // answers by another critic would be refused
    await world.deps.critics.promote('sums@2', 'req')
    await assert.rejects(openHttpJudge(url, { version: 'none' }), /answered 404: UNKNOWN_CRITIC: /)
  }))

test('a batch that breaks the contract is refused with its place', () =>
  listening(world.app, async url => {
    const judge = await openHttpJudge(url)
    const bad = [...items.slice(0, 64), { problem: ' ', steps: ['a'] }]
    await assert.rejects(
      judge.judge(bad),
      /answered 422 for solutions from number 64 on: INVALID_REQUEST.*items/s,
    )
  }))

test('long solutions are parted by bytes, too', () =>
  listening(world.app, async url => {
    const long = Array.from({ length: 4 }, () => ({
      problem: 'p',
      steps: Array.from({ length: 40 }, () => 'é'.repeat(4000)),
    }))
    const scores = await (await openHttpJudge(url)).judge(long)
    assert.deepEqual(
      scores.map(steps => steps.length),
      [40, 40, 40, 40],
    )
  }))

type Handle = (
  body: { items: { steps: string[] }[]; critic?: string },
  res: ServerResponse,
  call: number,
) => void

/** A server that answers as told. */
function server(handle: Handle) {
  let calls = 0
  return (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = []
    req.on('data', chunk => chunks.push(chunk))
    req.on('end', () => handle(JSON.parse(Buffer.concat(chunks).toString('utf8')), res, ++calls))
  }
}
const answer = (steps: string[], critic = 'v1', score: unknown = 0.5) => ({
  critic,
  threshold: 0.5,
  steps: steps.map(() => ({ score })),
})
const good: Handle = (body, res) =>
  void res.end(JSON.stringify({ results: body.items.map(({ steps }) => answer(steps)) }))

test('never more requests at once than allowed', async () => {
  let [open, most] = [0, 0]
  const app = server((body, res, call) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      good(body, res, call)
    }, 20)
  })
  await listening(app, async url => {
    const judge = await openHttpJudge(url, { inFlight: 3 })
    const many = Array.from({ length: 640 }, () => items[0]!)
    assert.equal((await judge.judge(many)).length, 640)
    assert.equal(most, 3)
  })
})

test('a busy service is asked again after the time it names, and given up in the end', async () => {
  const busy = server((body, res, call) => {
    if (call % 3 !== 0) res.writeHead(429, { 'retry-after': '0' }).end('{"code":"OVERLOADED"}')
    else good(body, res, call)
  })
  await listening(busy, async url => {
    assert.equal((await (await openHttpJudge(url)).judge(items.slice(0, 3))).length, 3)
    await assert.rejects(openHttpJudge(url, { attempts: 2 }), /answered 429: OVERLOADED/)
  })
  const never = server((_, res) => void res.writeHead(503, { 'retry-after': '3600' }).end())
  await listening(never, url => assert.rejects(openHttpJudge(url), /answered 503$/))
})

const STRANGERS: readonly { name: string; handle: Handle; want: RegExp }[] = [
  {
    name: 'no JSON',
    handle: (_, res) => void res.end('<html>'),
    want: /is no Spar critic: its answer is not JSON/,
  },
  { name: 'no results', handle: (_, res) => void res.end('{}'), want: /asked for 1 results/ },
  {
    name: 'a score too many',
    handle: (_, res) => void res.end(JSON.stringify({ results: [answer(['a', 'b'])] })),
    want: /not one entry per step/,
  },
  {
    name: 'a score of 2',
    handle: (_, res) => void res.end(JSON.stringify({ results: [answer(['a'], 'v1', 2)] })),
    want: /neither null nor from 0 to 1/,
  },
  {
    name: 'no threshold',
    handle: (_, res) => void res.end(JSON.stringify({ results: [{ critic: 'v', steps: [{ score: 1 }] }] })),
    want: /critic or threshold is missing/,
  },
  {
    name: 'a refusal in HTML',
    handle: (_, res) => void res.writeHead(403).end('<html>'),
    want: /answered 403$/,
  },
  { name: 'a hang-up', handle: (_, res) => void res.destroy(), want: /could not be reached/ },
]
for (const { name, handle, want } of STRANGERS)
  test(`a server that answers with ${name} is named`, () =>
    listening(server(handle), url => assert.rejects(openHttpJudge(url), want)))

test('a service that answers by another critic than asked for ends the run', async () => {
  const fickle = server((body, res, call) => {
    const results = body.items.map(({ steps }) => answer(steps, `v${call}`))
    res.end(JSON.stringify({ results }))
  })
  await listening(fickle, async url => {
    const judge = await openHttpJudge(url)
    await assert.rejects(judge.judge(items.slice(0, 2)), /answered with critic v2 when asked for v1/)
  })
})

test('a failure stops the requests under way, an abort too', async () => {
  const slow = server((body, res, call) => {
    if (call === 1) good(body, res, call)
    else if (call === 2) res.writeHead(400).end('{"code":"BAD_JSON"}')
    // the others never get an answer
  })
  await listening(slow, async url => {
    const judge = await openHttpJudge(url)
    await assert.rejects(judge.judge(items), /BAD_JSON/)
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 50)
    await assert.rejects(judge.judge(items, stop.signal), /enough/)
  })
})

test('a service that hangs is given up after the time-out', async () => {
  await listening(
    server(() => {}),
    url => assert.rejects(openHttpJudge(url, { timeoutMs: 50 }), /did not answer within 0.05 s/),
  )
})

test('an address that is none, and a port where nothing listens', async () => {
  await assert.rejects(openHttpJudge('localhost:8080'), /--url must be an address/)
  await assert.rejects(openHttpJudge('nonsense'), /--url must be an address/)
  let closed = ''
  await listening(server(good), async url => {
    closed = url
  })
  await assert.rejects(openHttpJudge(closed), /could not be reached \(ECONNREFUSED\)/)
})
