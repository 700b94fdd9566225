// The chain of decisions: one spelling for each value, and no change to it goes unseen.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, checkChain, nextDecision } from '../../src/store/decisions.ts'
import type { DecisionFacts } from '../../src/store/types.ts'
import { aDecision } from './samples.ts'

function chainOf(facts: readonly DecisionFacts[]): string[] {
  const texts: string[] = []
  for (const one of facts)
    texts.push(JSON.stringify(nextDecision({ length: texts.length, last: texts.at(-1) ?? null }, one)))
  return texts
}

const three = chainOf([aDecision('a'), aDecision('b', { kind: 'refusal' }), aDecision('c')])
const edit = (text: string, change: object) => JSON.stringify({ ...JSON.parse(text), ...change })

test('canonical JSON is JSON for the same value, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = canonicalJson(value)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(JSON.parse(text)), text)
    }),
  )
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: 'x' }], a: 1.5e21 }),
    '{"a":1.5e+21,"b":[1,{"c":"x","d":null}]}',
  )
})

const BROKEN: readonly [how: string, texts: readonly string[], at: number][] = [
  ['an entry was changed', [three[0]!, edit(three[1]!, { reason: 'Better.' }), three[2]!], 2],
  ['a figure was changed', [edit(three[0]!, { figures: { auc: 0.9 } }), ...three.slice(1)], 1],
  ['an entry was taken out', [three[0]!, three[2]!], 2],
  ['the first was taken out', three.slice(1), 1],
  ['two changed places', [three[1]!, three[0]!, three[2]!], 1],
  ['one was put in twice', [three[0]!, three[0]!, three[1]!, three[2]!], 2],
  ['one is no JSON', [three[0]!, '{', three[2]!], 2],
  ['one is not a decision', [three[0]!, '{"seq":2}', three[2]!], 2],
  [
    'one was replaced and sealed again',
    [three[0]!, chainOf([aDecision('a'), aDecision('forged')])[1]!, three[2]!],
    3,
  ],
]
for (const [how, texts, at] of BROKEN)
  test(`${how}: the check names entry ${at}`, () => {
    const check = checkChain(texts)
    assert.deepEqual([check.ok, check.broken_at], [false, at])
  })

test('an end that was cut off shows against a hash noted elsewhere', () => {
  const { head } = checkChain(three)
  assert.equal(checkChain(three.slice(0, 2)).ok, true)
  assert.deepEqual(checkChain(three.slice(0, 2), head).broken_at, 3)
  const longer = [...three, JSON.stringify(nextDecision({ length: 3, last: three[2]! }, aDecision('d')))]
  assert.equal(checkChain(longer, head).ok, true)
})

test('a record with a damaged end goes on, and the damage stays visible', () => {
  const damaged = [three[0]!, '{"half']
  damaged.push(JSON.stringify(nextDecision({ length: 2, last: damaged[1]! }, aDecision('after'))))
  assert.equal(checkChain(damaged).broken_at, 2)
})
