// Parameters: defaults, ranges, and what each method takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METHODS } from '../../src/search/methods.ts'
import {
  METHOD_NAMES,
  METHOD_PARAMS,
  type MethodName,
  PARAMS,
  resolveParams,
} from '../../src/search/params.ts'

test('every method of the registry has its parameters, and the other way round', () => {
  assert.deepEqual(Object.keys(METHODS).sort(), [...METHOD_NAMES].sort())
})

test('every parameter is taken by some method', () => {
  const taken = new Set<string>(Object.values(METHOD_PARAMS).flat())
  assert.deepEqual([...taken].sort(), Object.keys(PARAMS).sort())
})

test('defaults lie in their own ranges', () => {
  for (const method of METHOD_NAMES) {
    const own = Object.fromEntries(METHOD_PARAMS[method].map(name => [name, PARAMS[name].default]))
    assert.deepEqual(resolveParams(method, own), resolveParams(method, {}))
  }
})

test('the documented defaults', () => {
  const {
    n,
    temperature,
    aggregation,
    max_steps,
    width,
    simulations,
    step_max_tokens,
    max_tokens,
    regenerations,
  } = resolveParams('mcts', {})
  assert.deepEqual(
    {
      n,
      temperature,
      aggregation,
      max_steps,
      width,
      simulations,
      step_max_tokens,
      max_tokens,
      regenerations,
    },
    {
      n: 8,
      temperature: 0.8,
      aggregation: 'min',
      max_steps: 32,
      width: 4,
      simulations: 16,
      step_max_tokens: 256,
      max_tokens: 512,
      regenerations: 5,
    },
  )
})

test('given values are kept and undefined is not given', () => {
  const params = resolveParams('best_of_n', { n: 3, temperature: undefined, aggregation: 'prod' })
  assert.equal(params.n, 3)
  assert.equal(params.temperature, PARAMS.temperature.default)
  assert.equal(params.aggregation, 'prod')
})

const REFUSED: [MethodName, Record<string, unknown>, RegExp][] = [
  ['best_of_n', { n: 0 }, /n must be a whole number from 1 to 64/],
  ['best_of_n', { n: 65 }, /n must be/],
  ['best_of_n', { n: 2.5 }, /n must be/],
  ['best_of_n', { n: '8' }, /n must be/],
  ['best_of_n', { n: null }, /n must be/],
  ['best_of_n', { n: Number.NaN }, /n must be/],
  ['best_of_n', { temperature: 2.1 }, /temperature must be a number from 0 to 2/],
  ['best_of_n', { temperature: Number.NaN }, /temperature must be/],
  ['best_of_n', { aggregation: 'max' }, /aggregation must be one of last, min, prod, mean/],
  ['best_of_n', { width: 4 }, /best_of_n takes no parameter "width"/],
  ['self_consistency', { early_stop: 1 }, /early_stop must be true or false/],
  ['best_of_n', { early_stop: true }, /best_of_n takes no parameter "early_stop"/],
  ['guard', { n: 8 }, /guard takes no parameter "n"/],
  ['mcts', { toString: 1 }, /mcts takes no parameter "toString"/],
]

for (const [method, given, message] of REFUSED) {
  test(`${method} refuses ${JSON.stringify(given)}`, () => {
    assert.throws(() => resolveParams(method, given), {
      name: 'SearchError',
      code: 'INVALID_REQUEST',
      message,
    })
  })
}
