// What every store does with decisions and notes; a part of conformance.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkChain, GENESIS, readDecision } from '../../src/store/decisions.ts'
import type { OpenFor } from './conformance-jobs.ts'
import { aDecision } from './samples.ts'

/** Registers the tests of the decision record. */
export function decisionConformance(openFor: OpenFor): void {
  test('entries are chained in the order they came, and the chain holds', async t => {
    const store = openFor(t)()
    assert.deepEqual(checkChain(await store.readDecisions()), {
      ok: true,
      entries: 0,
      head: GENESIS,
      broken_at: null,
    })
    const first = await store.appendDecision(
      aDecision('a', { figures: { x: 0.1, deep: [null, { z: 1, a: '漢' }] } }),
    )
    const second = await store.appendDecision(aDecision('b', { kind: 'refusal' }))
    assert.deepEqual([first.seq, first.previous, second.seq, second.previous], [1, GENESIS, 2, first.hash])
    const texts = await store.readDecisions()
    assert.deepEqual(texts.map(readDecision), [first, second])
    assert.deepEqual(checkChain(texts), { ok: true, entries: 2, head: second.hash, broken_at: null })
  })

  test('a decision told twice is recorded once', async t => {
    const store = openFor(t)()
    const first = await store.appendDecision(aDecision('a'))
    assert.deepEqual(await store.appendDecision(aDecision('a', { reason: 'again' })), first)
    assert.equal((await store.readDecisions()).length, 1)
  })

  test('many writers on several connections do not fork the chain', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect(), connect()]
    const written = await Promise.all(
      Array.from({ length: 30 }, (_, i) => stores[i % 3]!.appendDecision(aDecision(`d${i}`))),
    )
    const texts = await stores[0]!.readDecisions()
    assert.equal(checkChain(texts).ok, true)
    assert.equal(texts.length, 30)
    assert.deepEqual(new Set(written.map(d => d.seq)).size, 30)
  })

  test('the pointer moves together with its decision, and only from what serves', async t => {
    const connect = openFor(t)
    const [store, other] = [connect(), connect()]
    await store.setServing({ version: 'a', history: [] })
    const to = { version: 'b', history: ['a'] }
    const moved = await store.moveServing('a', to, aDecision('1'))
    assert.equal(moved?.seq, 1)
    assert.deepEqual(await other.getServing(), to)
    assert.equal(await other.moveServing('a', { version: 'c', history: [] }, aDecision('2')), null)
    assert.deepEqual([await store.getServing(), (await store.readDecisions()).length], [to, 1])
    // The answer to the first call was lost, say: it is asked again.
    assert.deepEqual(await other.moveServing('a', to, aDecision('1')), moved)
    assert.equal((await store.readDecisions()).length, 1)
  })

  test('where nothing serves yet nothing moves', async t => {
    const store = openFor(t)()
    assert.equal(await store.moveServing('a', { version: 'b', history: [] }, aDecision('1')), null)
    assert.deepEqual([await store.getServing(), await store.readDecisions()], [null, []])
  })

  test('of many moves at once one is made', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect()]
    await stores[0]!.setServing({ version: 'a', history: [] })
    const moved = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        stores[i % 2]!.moveServing('a', { version: `b${i}`, history: ['a'] }, aDecision(`m${i}`)),
      ),
    )
    assert.equal(moved.filter(entry => entry !== null).length, 1)
    assert.equal((await stores[0]!.readDecisions()).length, 1)
  })
}

/** Registers the tests of the notes. */
export function noteConformance(openFor: OpenFor): void {
  test('a note comes back as it was written, with the number of its change', async t => {
    const connect = openFor(t)
    const store = connect()
    assert.equal(await store.getNote('a'), null)
    const value = { deep: [null, 1e300, '漢 "quoted"'] }
    assert.equal(await store.putNote('a', value, 0), true)
    assert.deepEqual(await connect().getNote('a'), { key: 'a', revision: 1, value })
    assert.equal(await store.putNote('a', 'next', 1), true)
    assert.deepEqual(await store.getNote('a'), { key: 'a', revision: 2, value: 'next' })
  })

  test('a note that changed since it was read is not written over', async t => {
    const store = openFor(t)()
    await store.putNote('a', 1, 0)
    assert.equal(await store.putNote('a', 2, 0), false)
    assert.equal(await store.putNote('a', 2, 5), false)
    assert.equal(await store.putNote('b', 2, 1), false)
    assert.deepEqual(await store.listNotes(''), [{ key: 'a', revision: 1, value: 1 }])
  })

  test('a note is removed only as it was read', async t => {
    const store = openFor(t)()
    await store.putNote('a', 1, 0)
    assert.equal(await store.putNote('a', null, 2), false)
    assert.equal(await store.putNote('a', null, 1), true)
    assert.equal(await store.getNote('a'), null)
    assert.equal(await store.putNote('a', null, 0), true)
  })

  test('of many writers at once one wins each change', async t => {
    const connect = openFor(t)
    const stores = [connect(), connect()]
    const add = async (store: (typeof stores)[number]) => {
      for (;;) {
        const note = await store.getNote('sum')
        if (await store.putNote('sum', Number(note?.value ?? 0) + 1, note?.revision ?? 0)) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => add(stores[i % 2]!)))
    assert.deepEqual(await stores[0]!.getNote('sum'), { key: 'sum', revision: 20, value: 20 })
  })

  test('notes are listed by how their key begins, whatever is in it', async t => {
    const store = openFor(t)()
    for (const key of ['b:2', 'a', 'b:1', 'b%', '漢:1']) await store.putNote(key, key, 0)
    const keys = async (prefix: string) => (await store.listNotes(prefix)).map(note => note.key)
    assert.deepEqual(await keys('b:'), ['b:1', 'b:2'])
    assert.deepEqual(await keys('b%'), ['b%'])
    assert.deepEqual(await keys('漢'), ['漢:1'])
    assert.deepEqual(await keys('x'), [])
  })
}
