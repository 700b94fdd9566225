// Admission: what is taken, what is refused and by which limit, and that places come back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPermits } from '../../src/critic/permits.ts'
import { AppError } from '../../src/errors.ts'

const items = (count: number, chars = 1) =>
  Array.from({ length: count }, () => ({ problem: 'x'.repeat(chars), steps: [] }))
const refusedBy = (limit: string) => (error: unknown) =>
  error instanceof AppError && error.code === 'OVERLOADED' && error.limit === limit && error.retryAfterS === 1

test('items beyond the limit are refused by name until others give their places back', () => {
  const permits = createPermits({ maxItems: 4, maxChars: 1000 })
  const giveBack = permits.take(items(3))
  assert.throws(() => permits.take(items(2)), refusedBy('critic_items'))
  permits.take(items(1))
  giveBack()
  permits.take(items(3))
  assert.throws(() => permits.take(items(1)), refusedBy('critic_items'))
})

test('text beyond the limit is refused by name, however few its items are', () => {
  const permits = createPermits({ maxItems: 100, maxChars: 1000 })
  const held = [1, 2, 3, 4].map(() => permits.take(items(1, 250)))
  assert.throws(() => permits.take(items(1, 1)), refusedBy('critic_chars'))
  for (const giveBack of held) giveBack()
  permits.take(items(1, 250))
})

test('a request of any size is taken, and leaves room for others', () => {
  const permits = createPermits({ maxItems: 100, maxChars: 1000 })
  permits.take(items(1, 50_000))
  permits.take(items(1, 250))
  permits.take(items(1, 50_000))
  permits.take(items(1, 249))
  assert.throws(() => permits.take(items(1, 2)), refusedBy('critic_chars'))
  const small = createPermits({ maxItems: 100, maxChars: 0 })
  small.take(items(1, 250))
})
