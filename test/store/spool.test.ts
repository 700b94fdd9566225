// The recorder's waiting line against a plain list that recounts everything at each step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSpool, type SpoolEntry } from '../../src/store/spool.ts'
import { aRecord } from './samples.ts'

const MAX_RECORDS = 5
const MAX_CHARS = 40

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), chars: fc.nat(60) }),
  fc.record({ do: fc.constant('take' as const), records: fc.nat(6), chars: fc.nat(60) }),
  fc.record({ do: fc.constant('putBack' as const) }),
  fc.record({ do: fc.constant('trim' as const) }),
)

test('whatever is pushed, taken, put back and trimmed, order and bounds hold', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const spool = createSpool(MAX_RECORDS, MAX_CHARS)
      let model: { seq: number; chars: number }[] = []
      let lastSeq = 0
      let taken: SpoolEntry[] = []
      const chars = () => model.reduce((sum, entry) => sum + entry.chars, 0)

      for (const next of steps) {
        if (next.do === 'push') {
          const half = Math.floor(next.chars / 2)
          const candidates = [{ steps: ['y'.repeat(next.chars - half)], scores: [null], answer: null }]
          model.push({ seq: ++lastSeq, chars: next.chars })
          assert.equal(spool.push(aRecord('r', { problem: 'x'.repeat(half), candidates }), null), lastSeq)
        } else if (next.do === 'take') {
          // What was taken before is settled: a recorder has one batch at a time.
          taken = spool.take(next.records, next.chars)
          const want: typeof model = []
          let sum = 0
          for (const entry of model.slice(0, next.records)) {
            sum += entry.chars
            if (want.length > 0 && sum > next.chars) break
            want.push(entry)
          }
          model = model.slice(want.length)
          assert.deepEqual(
            taken.map(({ seq, chars }) => ({ seq, chars })),
            want,
          )
        } else if (next.do === 'putBack') {
          spool.putBack(taken)
          model = [...taken.map(({ seq, chars }) => ({ seq, chars })), ...model]
          taken = []
        } else {
          let gone = 0
          while (model.length > MAX_RECORDS || (model.length > 1 && chars() > MAX_CHARS)) {
            model.shift()
            gone++
          }
          assert.equal(spool.trim().length, gone)
        }
        assert.equal(spool.size(), model.length)
        assert.equal(spool.firstSeq(), model[0]?.seq ?? Infinity)
      }
    }),
  )
})
