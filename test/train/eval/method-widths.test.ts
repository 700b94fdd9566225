// How wide each method is for a budget: the rule, and that it stays within what the methods take.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { METHOD_NAMES, type MethodName, resolveParams } from '../../../src/search/params.ts'
import { type Widths, widthsFor } from '../../../src/train/eval/method-widths.ts'

const CASES: readonly { method: MethodName; four: Widths; eight: Widths }[] = [
  { method: 'best_of_n', four: { n: 4 }, eight: { n: 8 } },
  { method: 'self_consistency', four: { n: 4 }, eight: { n: 8 } },
  { method: 'beam', four: { n: 4, width: 2 }, eight: { n: 8, width: 3 } },
  { method: 'particle', four: { n: 4 }, eight: { n: 8 } },
  { method: 'guard', four: { runs: 2 }, eight: { runs: 4 } },
  { method: 'mcts', four: { width: 2, simulations: 4 }, eight: { width: 3, simulations: 8 } },
  { method: 'plan', four: { n: 3, plans: 1 }, eight: { n: 6, plans: 2 } },
  { method: 'pairwise', four: { n: 2 }, eight: { n: 2 } },
]
for (const { method, four, eight } of CASES)
  test(`${method} at four and at eight samples`, () => {
    assert.deepEqual(widthsFor(method, 4), four)
    assert.deepEqual(widthsFor(method, 8), eight)
  })

test('widths are parameters that the method takes, in their ranges, at any budget up to 64', () => {
  fc.assert(
    fc.property(fc.constantFrom(...METHOD_NAMES), fc.integer({ min: 1, max: 64 }), (method, samples) => {
      const widths = widthsFor(method, samples)
      assert.ok(Object.keys(widths).length > 0)
      resolveParams(method, { ...widths })
    }),
  )
})
