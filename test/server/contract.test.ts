import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import { AGGREGATIONS } from '../../src/search/aggregate.ts'
import { METHOD_NAMES, METHOD_PARAMS, PARAMS } from '../../src/search/params.ts'
import { loadContract } from '../../src/server/contract.ts'
import { createHandlers } from '../../src/server/handlers.ts'
import type { Operation, Operations } from '../../src/server/operations.ts'
import { assertMatches, document, operations, validator } from './contract-check.ts'
import { createWorld } from './world.ts'

const { schemas } = document.components
const sorted = (items: Iterable<string>) => [...items].sort()

test('the error table and the contract list the same codes', () => {
  assert.deepEqual(sorted(schemas.ErrorCode?.enum as string[]), sorted(Object.keys(ERRORS)))
})

test('the table of codes in the description says what the error table says', () => {
  const rows = document.info.description.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| (.+) \|$/gm)
  const described = Object.fromEntries(
    [...rows].map(([, code, status, again, title]) => [
      code,
      { status: Number(status), retryable: again === 'yes', title },
    ]),
  )
  assert.deepEqual(described, { ...ERRORS })
})

test('every operation has a handler and every handler an operation', t => {
  const world = createWorld(t)
  const handlers = createHandlers(world.deps, loadContract())
  assert.deepEqual(sorted(operations.map(({ operationId }) => operationId)), sorted(Object.keys(handlers)))
})

test('every answer of a search parameter table is in the contract, and the other way round', () => {
  const params = schemas.SearchParams as { description: string; properties: Record<string, object> }
  const want = Object.fromEntries(
    Object.entries(PARAMS).map(([name, { default: fallback, description, ...range }]) => [
      name,
      { ...range, description: `${description} Default: ${fallback}.` },
    ]),
  )
  assert.deepEqual(params.properties, want)
  const rows = [...params.description.matchAll(/^\| (`.+) \| (.+) \|$/gm)]
  const taken = rows.flatMap(([, methods = '', names = '']) =>
    [...methods.matchAll(/`(\w+)`/g)].map(([, method]) => [method, sorted(names.split(', '))]),
  )
  const expected = Object.entries(METHOD_PARAMS).map(([method, names]) => [method, sorted(names)])
  assert.deepEqual(Object.fromEntries(taken), Object.fromEntries(expected))
})

test('search methods and aggregates have the same names everywhere', () => {
  assert.deepEqual(schemas.SearchMethod?.enum, METHOD_NAMES)
  assert.deepEqual(sorted(schemas.Aggregate?.required as string[]), sorted(AGGREGATIONS))
})

test('every problem response names codes of the status it is used for', () => {
  const uses = new Map<string, Set<number>>()
  for (const { path, method } of operations)
    for (const [status, { $ref }] of Object.entries(document.paths[path]![method]!.responses))
      if ($ref !== undefined && status !== 'default') {
        const name = $ref.split('/').at(-1)!
        uses.set(name, (uses.get(name) ?? new Set()).add(Number(status)))
      }
  assert.ok(uses.size > 5)
  for (const [name, statuses] of uses) {
    const { description } = document.components.responses[name] as unknown as { description: string }
    const codes = [...description.matchAll(/`([A-Z_]{6,})`/g)].map(match => match[1] as ErrorCode)
    assert.ok(codes.length > 0, `${name} names no code`)
    for (const code of codes) assert.deepEqual([ERRORS[code]?.status], [...statuses], `${name}: ${code}`)
  }
})

test('every example is what its schema says', () => {
  let seen = 0
  const visit = (node: unknown, place: readonly string[]) => {
    if (typeof node !== 'object' || node === null) return
    const { examples, schema } = node as { examples?: Record<string, { value: unknown }>; schema?: unknown }
    if (examples !== undefined && schema !== undefined)
      for (const [name, { value }] of Object.entries(examples)) {
        seen++
        assertMatches(validator(...place, 'schema'), structuredClone(value), [...place, name].join(' '))
      }
    else if (Array.isArray(examples))
      for (const value of examples) {
        seen++
        assertMatches(validator(...place), value, place.join(' '))
      }
    for (const [key, inner] of Object.entries(node)) if (key !== 'examples') visit(inner, [...place, key])
  }
  visit(document, [])
  assert.ok(seen > 10, `${seen} examples`)
})

test('fields, parameters and operations are described in one style', () => {
  const names = Object.values(schemas).flatMap(({ properties }) => Object.keys(properties ?? {}))
  assert.deepEqual(
    names.filter(name => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)),
    [],
  )
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
})

// The compiler is the test: `npm run types` fails when one of these stops being an error.
const misspeltAnswer: Operation<'healthz'> = (_req, res) => {
  // @ts-expect-error: the field is `status`
  res.json({ state: 'ok' })
}
const misspeltRequest: Operation<'critique'> = (req, _res) => {
  // @ts-expect-error: the field is `critic`
  return req.body.critics
}
// @ts-expect-error: every operation needs its handler
const missingHandlers: Operations = { healthz: misspeltAnswer }
void [misspeltRequest, missingHandlers]
