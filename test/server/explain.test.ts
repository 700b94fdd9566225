import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METHOD_NAMES } from '../../src/search/params.ts'
import { loadContract } from '../../src/server/contract.ts'
import type { FieldError } from '../../src/server/explain.ts'
import { bodyCheckers, InvalidRequest } from '../../src/server/validate.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

const checkers = bodyCheckers(loadContract())

function errorsOf(operationId: string, body: unknown): readonly FieldError[] {
  try {
    checkers.get(operationId)!(body)
    return []
  } catch (error) {
    assert.ok(error instanceof InvalidRequest, String(error))
    return error.errors
  }
}

const builtin = { upstream: 'builtin' }
const CASES: readonly [name: string, operation: string, given: unknown, want: readonly string[]][] = [
  ['no steps', 'critique', { problem: 'x', steps: [] }, ['steps: must have at least 1 item']],
  ['an empty problem', 'critique', { problem: '', steps: ['a'] }, ['problem: must not be empty']],
  ['a blank problem', 'critique', { problem: ' \n', steps: ['a'] }, ['problem: must not be blank']],
  [
    'too many steps, each of them bad, is one error',
    'critique',
    { problem: 'x', steps: Array(10_000).fill('') },
    ['steps: must have at most 512 items'],
  ],
  [
    'a long step',
    'critique',
    { problem: 'x', steps: ['a', 'b'.repeat(8001)] },
    ['steps[1]: must have at most 8,000 characters'],
  ],
  ['steps of the wrong type', 'critique', { problem: 'x', steps: 'a' }, ['steps: must be an array']],
  ['no form', 'critique', { problem: 'x' }, [': must have one of: steps, solution, items']],
  [
    'two forms at once',
    'critique',
    { problem: 'x', steps: ['a'], solution: 'b' },
    [': must have only one of: steps, solution, items'],
  ],
  ['not an object', 'critique', ['x'], [': must be an object']],
  ['null', 'critique', null, [': must be an object']],
  [
    'errors in several items',
    'critique',
    { items: [{ problem: 'x' }, { problem: 'y', steps: ['a', 7], best: 1 }, 7] },
    [
      'items[0]: must have one of: steps, solution',
      'items[1].best: is not a field of this request',
      'items[1].steps[1]: must be a string',
      'items[2]: must be an object',
    ],
  ],
  ['no items', 'critique', { items: [] }, ['items: must have at least 1 item']],
  [
    '65 items',
    'critique',
    { items: Array(65).fill({ problem: 'x', steps: ['a'] }) },
    ['items: must have at most 64 items'],
  ],
  ['missing fields', 'search', {}, ['problem: is required', 'llm: is required']],
  [
    'a misspelt field',
    'search',
    { problem: 'q', llm: builtin, seeds: 1 },
    ['seeds: is not a field of this request'],
  ],
  [
    'an LLM that is neither',
    'search',
    { problem: 'q', llm: {} },
    ['llm: must have one of: upstream, base_url'],
  ],
  [
    'an endpoint without a model',
    'search',
    { problem: 'q', llm: { base_url: 'http://a' } },
    ['llm.model: is required'],
  ],
  [
    'an unknown method and an empty budget',
    'search',
    { problem: 'q', llm: builtin, method: 'annealing', budget: { max_calls: 0 } },
    [`method: must be one of: ${METHOD_NAMES.join(', ')}`, 'budget.max_calls: must be >= 1'],
  ],
  [
    'a parameter out of range',
    'search',
    { problem: 'q', llm: builtin, params: { n: 1.5 } },
    ['params.n: must be an integer'],
  ],
  [
    'feedback that says nothing',
    'feedback',
    { request_id: 'a' },
    [': must also have one of: answer_correct, step_labels'],
  ],
  [
    'a label that is no label',
    'feedback',
    { items: [{ search_id: 'a', step_labels: [true, null, 1] }] },
    ['items[0].step_labels[2]: must be a boolean or null'],
  ],
  ['a round of a second', 'retrain', { minutes: 0.01 }, ['minutes: must be >= 0.1']],
  [
    'an own __proto__',
    'retrain',
    JSON.parse('{"__proto__": 1}'),
    ['__proto__: is not a field of this request'],
  ],
]

for (const [name, operation, given, want] of CASES)
  test(`${operation}: ${name}`, () => {
    assert.deepEqual(
      errorsOf(operation, given).map(({ path, message }) => `${path}: ${message}`),
      want,
    )
  })

test('at most ten places are named, and the detail tells how many there are of those', () => {
  const body = { problem: 'x', steps: Array(500).fill(1) }
  assert.equal(errorsOf('critique', body).length, 10)
  assert.throws(() => checkers.get('critique')!(body), { message: 'steps[0]: must be a string (and 9 more)' })
})

test('a body of a megabyte of mistakes is refused in well under a second', () => {
  const items = Array.from({ length: 64 }, () => ({ problem: 'x', steps: Array(512).fill('a') }))
  const last = { problem: 'x', steps: ['a'], extra: true }
  const startedAt = cpuMs()
  assert.deepEqual(errorsOf('critique', { items: [...items.slice(1), last] }), [
    { path: 'items[63].extra', message: 'is not a field of this request' },
  ])
  errorsOf('critique', { problem: '', steps: Array(300_000).fill('') })
  assert.ok(cpuMs() - startedAt < 500)
})

test('defaults of the contract are filled in', () => {
  const body = { problem: 'q', llm: builtin, budget: { max_calls: 3 } }
  checkers.get('search')!(body)
  assert.deepEqual(body, {
    problem: 'q',
    llm: builtin,
    method: 'weighted_best_of_n',
    params: {},
    budget: { max_tokens: 16384, max_calls: 3, deadline_ms: 60000 },
    stream: false,
  })
})
