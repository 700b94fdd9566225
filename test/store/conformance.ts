// What every store does, as tests: each adapter's test file runs all of it. Knows the port only.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store } from '../../src/store/types.ts'
import { decisionConformance, noteConformance } from './conformance-decisions.ts'
import { jobConformance, type OpenFor } from './conformance-jobs.ts'
import { aRecord, NOW } from './samples.ts'

export interface StoreSite {
  /** Opens one more connection to the same data. */
  connect(): Store
  /** Removes the data; called after all connections are closed. */
  remove(): void | Promise<void>
}

/** Registers the suite. `open` makes a new, empty site. */
export function storeConformance(name: string, options: { open: () => StoreSite }): void {
  const openFor: OpenFor = t => {
    const site = options.open()
    const stores: Store[] = []
    t.after(async () => {
      for (const store of stores) await store.close()
      await site.remove()
    })
    return () => {
      const store = site.connect()
      stores.push(store)
      return store
    }
  }
  describe(`${name}: traffic`, () => trafficConformance(openFor))
  describe(`${name}: feedback`, () => feedbackConformance(openFor))
  describe(`${name}: serving pointer`, () => servingConformance(openFor))
  describe(`${name}: decisions`, () => decisionConformance(openFor))
  describe(`${name}: notes`, () => noteConformance(openFor))
  describe(`${name}: jobs`, () => jobConformance(openFor))
}

async function idsOf(store: Store, options: Parameters<Store['readTraffic']>[0]): Promise<string[]> {
  return (await store.readTraffic(options)).map(({ record }) => record.id)
}

function trafficConformance(openFor: OpenFor): void {
  test('an empty store has no traffic', async t => {
    const store = openFor(t)()
    assert.deepEqual(await store.readTraffic({ limit: 10 }), [])
    assert.equal(await store.countTraffic(), 0)
  })

  test('a record comes back as it went in', async t => {
    const store = openFor(t)()
    const records = [
      aRecord('a'),
      aRecord('b', { kind: 'search', candidates: [], problem: '', at: NOW - 1 }),
      aRecord('c', {
        at: NOW - 2,
        candidates: [
          { steps: [], scores: [], answer: null },
          { steps: ['x'], scores: [0], answer: '' },
          { steps: ['y'], scores: [1 / 3], answer: '-2/3' },
        ],
      }),
    ]
    await store.appendTraffic(records)
    assert.deepEqual(
      await store.readTraffic({ limit: 10 }),
      records.map(record => ({ record, feedback: [] })),
    )
  })

  test('newest comes first by time, then by arrival', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('late', { at: NOW + 5 }), aRecord('z'), aRecord('a')])
    await store.appendTraffic([aRecord('early', { at: NOW - 5 }), aRecord('m')])
    assert.deepEqual(await idsOf(store, { limit: 10 }), ['late', 'm', 'a', 'z', 'early'])
  })

  test('arrival order holds beyond ten records of one moment', async t => {
    const store = openFor(t)()
    const ids = Array.from({ length: 25 }, (_, i) => `r${i}`)
    await store.appendTraffic(ids.map(id => aRecord(id)))
    assert.deepEqual(await idsOf(store, { limit: 100 }), ids.toReversed())
  })

  for (const [given, want] of [
    [{ limit: 2 }, ['d', 'c']],
    [{ limit: 0 }, []],
    [{ limit: -3 }, []],
    [{ limit: Infinity }, ['d', 'c', 'b', 'a']],
    [{ limit: 10, since: NOW + 2 }, ['d', 'c']],
    [{ limit: 1, since: NOW + 2 }, ['d']],
    [{ limit: 10, since: NOW + 4 }, []],
    [{ limit: 10, since: 0 }, ['d', 'c', 'b', 'a']],
    [{ limit: 2, skip: 1 }, ['c', 'b']],
    [{ limit: 2, skip: 3, since: NOW }, ['a']],
    [{ limit: 10, skip: 4 }, []],
  ] as const) {
    test(`reading with ${JSON.stringify(given)} gives [${want}]`, async t => {
      const store = openFor(t)()
      await store.appendTraffic(['a', 'b', 'c', 'd'].map((id, i) => aRecord(id, { at: NOW + i })))
      assert.deepEqual(await idsOf(store, given), want)
    })
  }

  test('the count is of all records, whatever a read is limited to', async t => {
    const store = openFor(t)()
    await store.appendTraffic(['a', 'b', 'c'].map(id => aRecord(id)))
    assert.equal(await store.countTraffic(), 3)
  })

  test('records are counted from a time on', async t => {
    const store = openFor(t)()
    await store.appendTraffic(['a', 'b', 'c'].map((id, i) => aRecord(id, { at: NOW + i })))
    assert.deepEqual(await Promise.all([0, NOW, NOW + 1, NOW + 3].map(store.countTraffic)), [3, 3, 2, 0])
  })

  test('appending nothing is fine', async t => {
    const store = openFor(t)()
    await store.appendTraffic([])
    assert.equal(await store.countTraffic(), 0)
  })

  test('an id appended again keeps its first record and its place', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('a', { problem: 'first' }), aRecord('b')])
    await store.addFeedback([{ id: 'a', at: NOW, answer_correct: true }])
    await store.appendTraffic([aRecord('a', { problem: 'second', at: NOW + 9 }), aRecord('c'), aRecord('c')])
    const read = await store.readTraffic({ limit: 10 })
    assert.deepEqual(
      read.map(({ record }) => record.id),
      ['c', 'b', 'a'],
    )
    assert.equal(read[2]!.record.problem, 'first')
    assert.equal(read[2]!.feedback.length, 1)
  })

  test('a batch with a record that cannot be stored stores none of it', async t => {
    const store = openFor(t)()
    const bad = { ...aRecord('bad'), critic: 1n } as unknown as ReturnType<typeof aRecord>
    await assert.rejects(store.appendTraffic([aRecord('a'), bad]), TypeError)
    assert.equal(await store.countTraffic(), 0)
    await store.appendTraffic([aRecord('a')])
    assert.equal(await store.countTraffic(), 1)
  })

  test('any text survives, ids included', async t => {
    const store = openFor(t)()
    const texts = [
      'né 漢字 🦊',
      '\0 \u2028 \r\n\t',
      '\ud800 alone',
      '"\\\'; DROP TABLE traffic; --',
      'e\u0301 \u202e',
    ]
    await store.appendTraffic(
      texts.map((text, i) =>
        aRecord(`id ${i} 漢:"'{}*`, {
          problem: text,
          candidates: [{ steps: [text], scores: [null], answer: text }],
        }),
      ),
    )
    const read = await store.readTraffic({ limit: 10 })
    assert.deepEqual(
      read.map(({ record }) => record.problem),
      texts.toReversed(),
    )
    assert.deepEqual(await store.addFeedback([{ id: `id 0 漢:"'{}*`, at: NOW }]), [true])
  })

  test('a text of a megabyte survives', async t => {
    const store = openFor(t)()
    const long = '漢🦊x'.repeat(2 ** 18)
    await store.appendTraffic([aRecord('long', { problem: long }), aRecord('short')])
    const read = await store.readTraffic({ limit: 10 })
    assert.ok(read[1]!.record.problem === long)
  })

  test('more records than one internal piece come back whole and in order', async t => {
    const store = openFor(t)()
    const ids = Array.from({ length: 450 }, (_, i) => `r${i}`)
    await store.appendTraffic(ids.map((id, i) => aRecord(id, { at: NOW + i })))
    assert.deepEqual(await idsOf(store, { limit: 1000 }), ids.toReversed())
  })

  test('appends from several connections at once are all kept', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect(), connect()]
    await Promise.all(
      stores.flatMap((store, s) =>
        Array.from({ length: 20 }, (_, i) =>
          store.appendTraffic([aRecord(`${s}-${i}`), aRecord(`${s}-${i}b`)]),
        ),
      ),
    )
    assert.equal(new Set(await idsOf(stores[0]!, { limit: 1000 })).size, 120)
    assert.equal(await stores[2]!.countTraffic(), 120)
  })

  for (const [given, left, gone] of [
    [{}, ['d', 'c', 'b', 'a'], 0],
    [{ olderThan: NOW + 2 }, ['d', 'c'], 2],
    [{ olderThan: NOW - 1 }, ['d', 'c', 'b', 'a'], 0],
    [{ keep: 3 }, ['d', 'c', 'b'], 1],
    [{ keep: 0 }, [], 4],
    [{ keep: 9 }, ['d', 'c', 'b', 'a'], 0],
    [{ olderThan: NOW + 1, keep: 2 }, ['d', 'c'], 2],
    [{ olderThan: NOW + 3, keep: 2 }, ['d'], 3],
  ] as const) {
    test(`pruning with ${JSON.stringify(given)} leaves [${left}]`, async t => {
      const store = openFor(t)()
      await store.appendTraffic(['c', 'a', 'd', 'b'].map(id => aRecord(id, { at: NOW + 'abcd'.indexOf(id) })))
      assert.equal(await store.pruneTraffic(given), gone)
      assert.deepEqual(await idsOf(store, { limit: 10 }), left)
      assert.equal(await store.countTraffic(), left.length)
    })
  }

  test('pruning takes the feedback along', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('a')])
    await store.addFeedback([{ id: 'a', at: NOW, answer_correct: true }])
    await store.pruneTraffic({ keep: 0 })
    assert.deepEqual(await store.addFeedback([{ id: 'a', at: NOW }]), [false])
    await store.appendTraffic([aRecord('a')])
    assert.deepEqual((await store.readTraffic({ limit: 1 }))[0]!.feedback, [])
  })

  test('pruning many records works in pieces', async t => {
    const store = openFor(t)()
    await store.appendTraffic(Array.from({ length: 1203 }, (_, i) => aRecord(`r${i}`, { at: NOW + i })))
    assert.equal(await store.pruneTraffic({ keep: 2 }), 1201)
    assert.deepEqual(await idsOf(store, { limit: 10 }), ['r1202', 'r1201'])
  })
}

function feedbackConformance(openFor: OpenFor): void {
  test('known and unknown ids are told apart, in order', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('a'), aRecord('b')])
    const given = ['a', 'nobody', 'b', '', '\ud800', 'a'].map((id, i) => ({ id, at: NOW + i }))
    assert.deepEqual(await store.addFeedback(given), [true, false, true, false, false, true])
    assert.deepEqual(await store.addFeedback([]), [])
  })

  test('all feedback on a record comes with it, in order of arrival', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('a'), aRecord('b', { at: NOW - 1 })])
    const first = { id: 'a', at: NOW + 2, answer_correct: true }
    const second = { id: 'a', at: NOW + 1, step_labels: [true, null, false] }
    const third = { id: 'a', at: NOW + 3, answer_correct: false, step_labels: [] }
    await store.addFeedback([first, second])
    await store.addFeedback([third])
    const read = await store.readTraffic({ limit: 10 })
    assert.deepEqual(
      read.map(({ feedback }) => feedback),
      [[first, second, third], []],
    )
  })

  test('feedback sent twice counts once', async t => {
    const store = openFor(t)()
    await store.appendTraffic([aRecord('a')])
    const item = { id: 'a', at: NOW, answer_correct: true }
    assert.deepEqual(await store.addFeedback([item, item]), [true, true])
    assert.deepEqual(await store.addFeedback([item]), [true])
    assert.deepEqual((await store.readTraffic({ limit: 1 }))[0]!.feedback, [item])
  })

  test('what was spoken of last comes first, once, with all that was said', async t => {
    const store = openFor(t)()
    assert.deepEqual(await store.readHeard(9), [])
    await store.appendTraffic(['a', 'b', 'c', 'd'].map((id, i) => aRecord(id, { at: NOW + i })))
    const word = (id: string, at: number) => ({ id, at, answer_correct: true })
    await store.addFeedback([word('c', 1), word('a', 2)])
    await store.addFeedback([word('c', 3), word('c', 3), word('nobody', 4), word('b', 5)])
    const heard = (await store.readHeard(9)).map(({ record: { id }, feedback }) => [id, feedback.length])
    assert.deepEqual(heard, [
      ['b', 1],
      ['c', 2],
      ['a', 1],
    ])
    assert.deepEqual(
      (await store.readHeard(2)).map(({ record }) => record.id),
      ['b', 'c'],
    )
    await store.pruneTraffic({ olderThan: NOW + 2 })
    assert.deepEqual(
      (await store.readHeard(9)).map(({ record }) => record.id),
      ['c'],
    )
  })

  test('unknown feedback is not kept for a record that comes later', async t => {
    const store = openFor(t)()
    await store.addFeedback([{ id: 'a', at: NOW, answer_correct: true }])
    await store.appendTraffic([aRecord('a')])
    assert.deepEqual((await store.readTraffic({ limit: 1 }))[0]!.feedback, [])
  })

  test('a thousand items go in one call, from another connection than the traffic', async t => {
    const connect = openFor(t)
    const [server, trainer] = [connect(), connect()]
    const ids = Array.from({ length: 1000 }, (_, i) => `r${i}`)
    await server.appendTraffic(ids.map(id => aRecord(id)))
    const known = await trainer.addFeedback(ids.map(id => ({ id, at: NOW, answer_correct: true })))
    assert.deepEqual(new Set(known), new Set([true]))
    const read = await server.readTraffic({ limit: 1000 })
    assert.ok(read.every(({ record, feedback }) => feedback.length === 1 && feedback[0]!.id === record.id))
  })
}

function servingConformance(openFor: OpenFor): void {
  test('there is none at first', async t => {
    assert.equal(await openFor(t)().getServing(), null)
  })

  test('it comes back with its history, in another connection too', async t => {
    const connect = openFor(t)
    const store = connect()
    const serving = { version: 'critic@0.1.2', history: ['critic@0.1.1', 'critic@0.1.0'] }
    await store.setServing(serving)
    assert.deepEqual(await store.getServing(), serving)
    assert.deepEqual(await connect().getServing(), serving)
  })

  test('setting it replaces the one before', async t => {
    const store = openFor(t)()
    await store.setServing({ version: 'b', history: ['a'] })
    await store.setServing({ version: 'a', history: [] })
    assert.deepEqual(await store.getServing(), { version: 'a', history: [] })
  })
}
