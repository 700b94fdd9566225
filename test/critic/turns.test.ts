// Taking turns, as properties: nothing is lost or reordered, and no request waits for another's rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Turns } from '../../src/critic/turns.ts'

interface Row {
  readonly id: number
  readonly n: number
}

/** Requests by their numbers of rows. */
function turnsOf(counts: readonly number[]): Turns<Row> {
  const turns = new Turns<Row>()
  for (const [id, count] of counts.entries()) turns.add(id, rowsOf(id, count))
  return turns
}
function* rowsOf(id: number, count: number): Generator<Row, void> {
  for (let n = 0; n < count; n++) yield { id, n }
}
const one = () => 1
const counts = fc.array(fc.nat(40), { maxLength: 12 })

test('every row is taken once, each request’s in order, in batches of the size asked for', () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 20 }), (given, room) => {
      const turns = turnsOf(given)
      const batches: Row[][] = []
      while (!turns.empty) batches.push(turns.take(room, one))
      const total = given.reduce((a, b) => a + b, 0)
      assert.equal(batches.flat().length, total)
      for (const [id, count] of given.entries())
        assert.deepEqual(
          batches.flat().filter(row => row.id === id),
          [...rowsOf(id, count)],
        )
      assert.ok(batches.slice(0, Math.floor(total / room)).every(batch => batch.length === room))
    }),
  )
})

test('between two rows of a request every other that waits has one: a huge request delays nobody', () => {
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 20 }), (given, room) => {
      const turns = turnsOf(given)
      const taken: Row[] = []
      while (!turns.empty) taken.push(...turns.take(room, one))
      for (const [i, row] of taken.entries()) {
        const next = taken.findIndex((other, k) => k > i && other.id === row.id)
        const between = new Set(taken.slice(i + 1, next).map(other => other.id))
        const waits = (id: number) => taken.slice(next).some(other => other.id === id)
        for (const id of given.keys())
          if (next > 0 && id !== row.id && waits(id))
            assert.ok(between.has(id), `${row.id} went before ${id}`)
      }
    }),
  )
})

test('a batch ends with the row that fills it', () => {
  assert.deepEqual(
    turnsOf([3, 1]).take(10, row => (row.id === 0 ? 6 : 3)),
    [
      { id: 0, n: 0 },
      { id: 1, n: 0 },
      { id: 0, n: 1 },
    ],
  )
})

test('a request that is removed has no more rows, and one that comes has its turn in the next round', () => {
  const turns = turnsOf([50, 50])
  turns.take(3, one)
  turns.remove(1)
  turns.add(7, rowsOf(7, 1))
  assert.deepEqual(
    turns.take(4, one).map(row => row.id),
    [0, 7, 0, 0],
  )
})

test('rows are made when they are taken', () => {
  let made = 0
  const turns = new Turns<number>()
  turns.add(
    0,
    (function* () {
      while (true) yield made++
    })(),
  )
  assert.equal(made, 0)
  turns.take(5, one)
  assert.equal(made, 5)
})
