// The soak's book-keeping: that what is wrong or lost is found. Its service is not started here.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditStore } from '../../bench/soak/audit.ts'
import { createLedger } from '../../bench/soak/ledger.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { aRecord, NOW } from '../store/samples.ts'

const scored = (...scores: number[]) => ({ problem: 'p', steps: scores.map(String), scores })

test('another score for the same input and version, and an id that came before, are wrong', () => {
  const ledger = createLedger()
  const steps = ['a', 'b']
  ledger.answered('1', 'v1', { problem: 'p', steps, scores: [0.5, 0.6] })
  ledger.answered('2', 'v1', { problem: 'p', steps, scores: [0.50001, 0.6] })
  ledger.answered('3', 'v2', { problem: 'p', steps, scores: [0.1, 0.6] })
  assert.equal(ledger.wrong.size, 0)
  ledger.answered('4', 'v1', { problem: 'p', steps, scores: [0.51, 0.6] })
  ledger.answered('4', 'v2', { problem: 'p', steps, scores: [0.1, 0.6] })
  assert.deepEqual(
    [...ledger.wrong],
    [
      ['v1 gave other scores than before', 1],
      ['an id came twice', 1],
    ],
  )
})

test('traffic and feedback that were acknowledged and are not in the log are counted', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  const ledger = createLedger()
  for (const id of ['kept', 'lost', 'silent']) ledger.answered(id, 'v1', scored(0.5))
  for (const id of ['kept', 'silent']) ledger.feedback.set(id, true)
  const candidates = [{ steps: ['0.5'], scores: [0.5], answer: null }]
  await store.appendTraffic(['kept', 'silent'].map(id => aRecord(id, { critic: 'v1', candidates })))
  await store.addFeedback([
    { id: 'kept', at: NOW, answer_correct: true },
    { id: 'silent', at: NOW, answer_correct: false },
  ])
  const { lost_traffic, lost_feedback } = await auditStore(store, ledger)
  assert.deepEqual([lost_traffic, lost_feedback, ledger.wrong.size], [1, 1, 0])
})

test('a log that holds other scores than were answered is wrong', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  const ledger = createLedger()
  ledger.answered('a', 'v1', scored(0.5))
  await store.appendTraffic([
    aRecord('a', { critic: 'v1', candidates: [{ steps: ['0.5'], scores: [0.9], answer: null }] }),
  ])
  await auditStore(store, ledger)
  assert.deepEqual([...ledger.wrong], [['the log holds other scores than were answered', 1]])
})
