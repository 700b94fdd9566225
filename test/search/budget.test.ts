// The ledger: what is granted and when.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLedger } from '../../src/search/budget.ts'

test('a ledger without limits grants everything', () => {
  const ledger = createLedger({})
  for (let i = 0; i < 100; i++) assert.deepEqual(ledger.reserve(512, i), { kind: 'granted', tokens: 512 })
})

test('a call that does not fit waits for those in flight, and is capped only when there are none', () => {
  const ledger = createLedger({ maxTokens: 100 })
  assert.deepEqual(ledger.reserve(80, 0), { kind: 'granted', tokens: 80 })
  assert.deepEqual(ledger.reserve(80, 1), { kind: 'wait' })
  ledger.settle(80, { calls: 1, tokens: 10 })
  assert.deepEqual(ledger.reserve(80, 0), { kind: 'granted', tokens: 80 })
  ledger.settle(80, { calls: 1, tokens: 80 })
  assert.deepEqual(ledger.reserve(80, 0), { kind: 'granted', tokens: 10 })
  ledger.settle(10, { calls: 1, tokens: 10 })
  assert.deepEqual(ledger.reserve(80, 0), { kind: 'spent' })
})

test('calls that are spent are spent at once, even with some in flight', () => {
  const ledger = createLedger({ maxCalls: 1 })
  assert.equal(ledger.reserve(1, 0).kind, 'granted')
  assert.equal(ledger.reserve(1, 1).kind, 'spent')
})

test('an overshoot is charged to the calls that follow', () => {
  const ledger = createLedger({ maxTokens: 100 })
  ledger.reserve(50, 0)
  ledger.settle(50, { calls: 1, tokens: 90 })
  assert.deepEqual(ledger.reserve(50, 0), { kind: 'granted', tokens: 10 })
})

test('use never passes the limits when calls keep to their grants, in whatever order they settle', () => {
  const call = fc.record({
    asks: fc.integer({ min: 1, max: 50 }),
    uses: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(call, { maxLength: 40 }),
      fc.infiniteStream(fc.nat()),
      (maxTokens, maxCalls, calls, picks) => {
        const ledger = createLedger({ maxTokens, maxCalls })
        const running: { granted: number; tokens: number }[] = []
        const used = { calls: 0, tokens: 0 }
        const settleOne = () => {
          const [call] = running.splice(picks.next().value % running.length, 1)
          used.calls += 1
          used.tokens += call!.tokens
          ledger.settle(call!.granted, { calls: 1, tokens: call!.tokens })
        }
        let spent = false
        for (const { asks, uses } of calls) {
          while (!spent) {
            const grant = ledger.reserve(asks, running.length)
            if (grant.kind === 'granted') {
              running.push({ granted: grant.tokens, tokens: Math.floor(grant.tokens * uses) })
              break
            }
            if (grant.kind === 'wait') settleOne()
            else spent = true
          }
        }
        while (running.length > 0) settleOne()
        assert.ok(used.tokens <= maxTokens && used.calls <= maxCalls)
        if (spent) assert.ok(used.tokens === maxTokens || used.calls === maxCalls)
      },
    ),
  )
})
