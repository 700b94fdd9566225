// Reading `Retry-After`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRetryAfter } from '../../src/llm/retry-after.ts'

const NOW = Date.UTC(2026, 10, 6, 8, 49, 0)

const cases: readonly [given: string | null, want: number | undefined][] = [
  ['0', 0],
  [' 12 ', 12],
  ['99999999999', 3600],
  ['Fri, 06 Nov 2026 08:49:37 GMT', 37],
  ['Friday, 06-Nov-26 08:49:37 GMT', 37],
  ['Fri, 06 Nov 2026 08:48:00 GMT', 0],
  ['Fri, 06 Nov 2099 08:48:00 GMT', 3600],
  [null, undefined],
  ['', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['2026-11-06', undefined],
  ['Fri, whenever', undefined],
]

for (const [given, want] of cases) {
  test(`Retry-After ${JSON.stringify(given)} is ${want}`, () => {
    assert.equal(parseRetryAfter(given, NOW), want)
  })
}

test('whatever the header says, the wait is a whole number of seconds from 0 to 3600, or unknown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), text => {
      const seconds = parseRetryAfter(text, NOW)
      assert.ok(seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 3600))
    }),
  )
})
