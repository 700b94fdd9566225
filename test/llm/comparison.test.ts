// Comparisons: what is sent to a chat model, and which verdicts are read out of its replies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readVerdict } from '../../src/llm/comparison.ts'
import { bench, never, PROBLEM, request } from './support.ts'

const REPLIES: [reply: string, want: 'first' | 'second' | null][] = [
  ['Verdict: A', 'first'],
  ['A slips in step 2.\n\nVerdict: B.', 'second'],
  ['**Verdict:** B', 'second'],
  ['Verdict: **A**', 'first'],
  ['VERDICT: Solution A', 'first'],
  ['My verdict is B', 'second'],
  ['Verdict: A? No: 3 + 4 is 7.\nVerdict: B', 'second'],
  ['B', 'second'],
  [' (A). ', 'first'],
  ['Solution B.', 'second'],
  ['', null],
  ['Both are right.', null],
  ['A and B agree.', null],
  ['Verdict: a better one there is not', null],
  ['Verdict: A tie', null],
  ['Verdict: neither', null],
  ['Verdict: Both', null],
  ['The answer is B.', null],
]

for (const [reply, want] of REPLIES) {
  test(`verdict of ${JSON.stringify(reply)}: ${want}`, () => {
    assert.equal(readVerdict(reply), want)
  })
}

test('a long reply without a verdict is read in no time', () => {
  const startedAt = performance.now()
  assert.equal(readVerdict(`verdict${' :'.repeat(100_000)}`), null)
  assert.equal(readVerdict('verdict is solution '.repeat(20_000)), null)
  assert.equal(readVerdict(' '.repeat(200_000)), null)
  assert.ok(performance.now() - startedAt < 2000)
})

test('a comparison sends the problem and both solutions, and asks for a verdict', async t => {
  const { llm, server } = await bench(t, { solve: () => 'A errs.\n\nVerdict: B' })
  const aim = { kind: 'compare', first: '12 + 37 = 50', second: '12 + 37 = 49' } as const
  const reply = await llm.propose(request({ aim, temperature: 0 }), never())
  assert.deepEqual([reply.text, readVerdict(reply.text)], ['A errs.\n\nVerdict: B', 'second'])
  const [system, user, ...more] = server.requests[0]!.body!.messages
  assert.deepEqual([system!.role, user!.role, more], ['system', 'user', []])
  assert.match(system!.content, /Verdict: A/)
  assert.equal(
    user!.content,
    `Problem: ${PROBLEM}\n\nSolution A:\n\n12 + 37 = 50\n\nSolution B:\n\n12 + 37 = 49`,
  )
})
