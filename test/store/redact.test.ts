// What is taken out of traffic, and that numbers and reasoning stay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRedaction } from '../../src/store/redact.ts'
import { aRecord } from './samples.ts'

const clean = (rules: string, text: string) => parseRedaction(rules)(aRecord('a', { problem: text })).problem

const CASES: readonly [rules: string, given: string, want: string][] = [
  ['email', 'Write to ann.lee+x@mail.example.org or 3@4.', 'Write to [email] or 3@4.'],
  ['email', 'jörg@bücher.example has 3', '[email] has 3'],
  ['secret', 'key sk-abcdefghijklmnop1234 and 12 * 3 = 36', 'key [secret] and 12 * 3 = 36'],
  ['secret', 'eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSM', '[secret]'],
  ['secret', 'sk-short', 'sk-short'],
  ['email, secret', 'a@b.example sk-abcdefghijklmnop', '[email] [secret]'],
  ['/Mr\\.? \\p{Lu}\\p{L}+/, email', 'Mr. Holmes a@b.example', '[redacted] [email]'],
  ['/a{1,2}/', 'caab', 'c[redacted]b'],
  ['/x/, /[/]y/', 'x /y', '[redacted] [redacted]'],
  ['', 'a@b.example', 'a@b.example'],
  [' , ', 'a@b.example', 'a@b.example'],
]
for (const [rules, given, want] of CASES)
  test(`with [${rules}] "${given}" becomes "${want}"`, () => assert.equal(clean(rules, given), want))

test('steps and answers are cleaned too, all else stays', () => {
  const record = aRecord('a', {
    client: 'c',
    candidates: [{ steps: ['ask a@b.example', '3 + 4 = 7'], scores: [0.5, null], answer: 'a@b.example' }],
  })
  assert.deepEqual(parseRedaction('email')(record), {
    ...record,
    candidates: [{ steps: ['ask [email]', '3 + 4 = 7'], scores: [0.5, null], answer: '[email]' }],
  })
})

for (const rules of ['mail', '/(/', 'constructor'])
  test(`"${rules}" is refused with a message that does not repeat it`, () => {
    assert.throws(
      () => parseRedaction(rules),
      (error: Error) => /slashes/.test(error.message) && !error.message.includes(`"${rules}"`),
    )
  })
