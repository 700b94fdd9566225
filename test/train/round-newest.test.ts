// What a round looks at: the newest records, of which nobody pushes out the others'.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { admit } from '../../src/train/round/admit.ts'
import { readNewest } from '../../src/train/round/newest.ts'
import { aRecord, NOW } from '../store/samples.ts'

/** A store with so many records of each client; the first clients' are the oldest. */
async function filled(t: TestContext, counts: Readonly<Record<string, number>>) {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  let at = NOW
  for (const [client, count] of Object.entries(counts))
    await store.appendTraffic(
      Array.from({ length: count }, (_, i) =>
        aRecord(`${client}${i}`, {
          at: at++,
          problem: `${client}${i}`,
          candidates: [{ steps: ['x'], scores: [i % 2 === 0 ? 0.9 : 0.1], answer: '1' }],
          ...(client !== '' && { client }),
        }),
      ),
    )
  return store
}

const countsOf = (read: Awaited<ReturnType<typeof readNewest>>) =>
  Object.fromEntries(
    [...Map.groupBy(read, ({ record }) => record.client ?? '')].map(([client, own]) => [client, own.length]),
  )

test('the newest records come, newest first, when there is room for all or one client alone', async t => {
  const few = await filled(t, { a: 3, '': 2 })
  assert.deepEqual(
    (await readNewest(few, 10)).map(({ record }) => record.id),
    ['1', '0', 'a2', 'a1', 'a0'],
  )
  const one = await filled(t, { a: 2500 })
  const read = await readNewest(one, 1500)
  assert.deepEqual([read.length, read[0]!.record.id, read.at(-1)!.record.id], [1500, 'a2499', 'a1000'])
})

test('a client that floods the log does not push out what others sent before', async t => {
  const store = await filled(t, { a: 300, b: 200, '': 100, flood: 1200 })
  assert.deepEqual(countsOf(await readNewest(store, 800)), { a: 250, b: 200, '': 100, flood: 250 })
  assert.deepEqual(countsOf(await readNewest(store, 400)), { a: 100, b: 100, '': 100, flood: 100 })
})

test('a flood of turned-around feedback is still held against what the others say', async t => {
  const store = await filled(t, { a: 300, flood: 900 })
  const ids = (client: string, count: number) => Array.from({ length: count }, (_, i) => `${client}${i}`)
  const say = (client: string, count: number, honest: boolean) =>
    store.addFeedback(
      ids(client, count).map((id, i) => ({ id, at: 1, client, answer_correct: (i % 2 === 0) === honest })),
    )
  await say('a', 300, true)
  await say('flood', 900, false)
  const { figures, traffic } = admit(await readNewest(store, 600), { share: 0.25 })
  assert.deepEqual([figures['inverted_clients'], countsOf([...traffic])], [1, { a: 300 }])
})

test('a read ends, however much there is', async () => {
  let looked = 0
  const endless = {
    async readTraffic({ limit }: { limit: number }) {
      looked += limit
      return Array.from({ length: limit }, (_, i) => ({
        record: aRecord(`${looked}-${i}`, { client: 'flood' }),
        feedback: [],
      }))
    },
  }
  assert.equal((await readNewest(endless, 700)).length, 700)
  assert.equal(looked, 3500)
})
