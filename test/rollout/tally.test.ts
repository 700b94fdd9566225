// What is counted while a candidate is tried out, and when it is turned away for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { calibrationOf, createCalibrations } from '../../src/rollout/calibration.ts'
import { armFaults, calibrationFaults, shadowFaults, timeFaults } from '../../src/rollout/limits.ts'
import { placeOf } from '../../src/rollout/sticky.ts'
import {
  addTallies,
  armFigures,
  count,
  EMPTY_TALLY,
  spearman,
  type Tally,
  tallyFigures,
} from '../../src/rollout/tally.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { aRecord, NOW } from '../store/samples.ts'

test('rank correlation is 1 for any rising map, -1 for a falling one, and looks at ranks only', () => {
  const values = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 })
  fc.assert(
    fc.property(values, xs => {
      assert.ok(Math.abs(spearman(xs.map(x => [x, x ** 3])) - 1) < 1e-9)
      assert.ok(Math.abs(spearman(xs.map(x => [x, -x])) + 1) < 1e-9)
    }),
  )
  // By hand: ranks 1, 2.5, 2.5, 4 against 2, 1, 3, 4.
  const got = spearman([[1, 2], [2, 1], [2, 3], [9, 4]]) // biome-ignore format: pairs
  assert.ok(Math.abs(got - 3 / Math.sqrt(4.5 * 5)) < 1e-12, `${got}`)
  assert.ok(Number.isNaN(spearman([[1, 1], [1, 2]]))) // biome-ignore format: pairs
})

const call = { ms: 10, tokens: 100, scores: [0.5, 0.7] }

test('what several servers counted adds up', () => {
  const one: Tally = {
    ...EMPTY_TALLY,
    serving: count(count(EMPTY_TALLY.serving, call), 'error'),
    pairs: [[0.1, 0.2]],
    compared: 4,
    flips: 1,
    dropped: 2,
  }
  const { serving, flip_rate, compared_steps, dropped, score_drift } = tallyFigures(
    addTallies([one, one, EMPTY_TALLY]),
  )
  assert.deepEqual([flip_rate, compared_steps, dropped], [0.25, 8, 4])
  assert.ok(Math.abs(score_drift! - 0.1) < 1e-12)
  const pace = { ms_per_token: 0.1, ms_per_token_low: 0.1 }
  assert.deepEqual(serving, { calls: 4, error_rate: 0.5, ...pace, mean_score: 0.6 })
})

test('nothing counted says nothing, and breaks no limit', () => {
  const figures = tallyFigures(addTallies([]))
  assert.deepEqual([figures.flip_rate, figures.rank_correlation, figures.score_drift], [null, null, null])
  assert.deepEqual(shadowFaults(figures), [])
  assert.deepEqual(armFaults(figures.serving, figures.candidate), [])
})

/** 100 calls each, of which some fail. */
const arm = (change: { errors?: number; ms?: number; score?: number } = {}) => {
  const { errors = 0, ms = 10, score = 0.6 } = change
  return Array.from({ length: 100 }, (_, i) => i).reduce(
    (sum, i) => count(sum, i < errors ? 'error' : { ms, tokens: 100, scores: [score] }),
    EMPTY_TALLY.serving,
  )
}
const pairs = (map: (x: number) => number) =>
  Array.from({ length: 100 }, (_, i): [number, number] => [i / 100, map(i / 100)])

const SHADOW: readonly [name: string, change: Partial<Tally>, fault: RegExp | null][] = [
  ['judges like the other', { pairs: pairs(x => 0.9 * x + 0.05), flips: 10 }, null],
  ['turns half of the verdicts', { pairs: pairs(x => x), flips: 50 }, /turns 50\.0 % of the verdicts/],
  ['ranks steps the other way', { pairs: pairs(x => 1 - x), flips: 10 }, /correlation -1\.00/],
  ['scores everything higher', { pairs: pairs(x => x + 0.3), flips: 10 }, /lie 0\.30 beside/],
  ['fails', { candidate: arm({ errors: 10 }), pairs: pairs(x => x) }, /10\.0 % of its calls fail/],
  [
    'reads for the first time what the other has in its cache',
    { candidate: arm({ ms: 400 }), pairs: pairs(x => x) },
    null,
  ],
]
for (const [name, change, fault] of SHADOW)
  test(`a candidate in shadow that ${name} is ${fault ? 'turned away' : 'let through'}`, () => {
    const tally = { ...EMPTY_TALLY, serving: arm(), candidate: arm(), compared: 100, ...change }
    const faults = shadowFaults(tallyFigures(tally)).join()
    if (fault) assert.match(faults, fault)
    else assert.equal(faults, '')
  })

test('a critic that serves is measured by errors and the mean of its scores', () => {
  const faults = (change: Parameters<typeof arm>[0]) => armFaults(armFigures(arm()), armFigures(arm(change)))
  assert.deepEqual(faults({}), [])
  assert.deepEqual(faults({ errors: 2 }), [])
  assert.match(faults({ errors: 10 }).join(), /10\.0 % of its calls fail/)
  assert.match(faults({ score: 0.1 }).join(), /-0\.50 beside/)
  assert.deepEqual(armFaults(armFigures(arm({ errors: 10 })), armFigures(arm({ errors: 11 }))), [])
})

test('a critic that serves is not taken back for its time, which an earlier one is no measure of', () => {
  const [was, slow] = [armFigures(arm()), armFigures(arm({ ms: 31 }))]
  assert.deepEqual(armFaults(was, slow), [])
  assert.match(timeFaults(was, slow).join(), /3\.1 times as long/)
})

test('one failed call does not take a critic back, a critic that always fails is found after twenty', () => {
  const was = armFigures(arm())
  const is = (calls: number, errors: number) => armFigures({ ...arm({ errors }), calls })
  for (const calls of [20, 30, 49]) assert.deepEqual(armFaults(was, is(calls, 1)), [])
  assert.match(armFaults(was, is(20, 20)).join(), /100\.0 % of its calls fail/)
  assert.match(armFaults(was, is(1000, 40)).join(), /4\.0 % of its calls fail/)
})

test('one call that had to wait does not make a critic slow, many such calls do', () => {
  const calls = (times: readonly number[]) =>
    armFigures(times.reduce((sum, ms) => count(sum, { ms, tokens: 100, scores: [0.6] }), EMPTY_TALLY.serving))
  const was = calls(Array(20).fill(10))
  const once = calls([...Array(19).fill(10), 1500])
  assert.ok(once.ms_per_token! > 8 * was.ms_per_token!)
  assert.deepEqual(timeFaults(was, once), [])
  const often = calls(Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 1500 : 10)))
  assert.match(timeFaults(was, often).join(), /15\.9 times as long/)
})

test('feedback that comes long after its answer is found among many answers that nobody spoke of', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  const many = Array.from({ length: 3000 }, (_, i) => aRecord(`r${i}`, { at: NOW + i }))
  await store.appendTraffic(many)
  await store.addFeedback(
    Array.from({ length: 40 }, (_, i) => ({ id: `r${i}`, at: NOW + 9999, answer_correct: true })),
  )
  assert.equal((await calibrationOf(store, 'critic@0.1.0', NOW)).verdicts, 40)
})

test('a client that says the same again and again has one voice on each answer', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  await store.appendTraffic([aRecord('a', { candidates: [{ steps: ['x'], scores: [0.8], answer: null }] })])
  const said = (client: string, at: number, answer_correct: boolean) => ({
    id: 'a',
    at,
    client,
    answer_correct,
  })
  for (let i = 0; i < 50; i++) await store.addFeedback([said('loud', i, false)])
  await store.addFeedback([said('other', 99, true)])
  const { verdicts, brier } = await calibrationOf(store, 'critic@0.1.0', 0)
  assert.equal(verdicts, 2)
  assert.ok(Math.abs(brier! - (0.8 ** 2 + 0.2 ** 2) / 2) < 1e-12)
})

test('whoever asks again and again how scores met feedback has it read every ten seconds', async () => {
  let [reads, clock] = [0, 0]
  const store = {
    async readHeard() {
      reads++
      return []
    },
  }
  const calibrations = createCalibrations(store, () => clock)
  for (; clock < 30_000; clock += 500) await calibrations('a', 0)
  assert.equal(reads, 3)
  await calibrations('b', 0)
  assert.equal(reads, 4)
})

test('scores are held against what clients said of the same critic’s answers', async t => {
  const store = openSqliteStore(':memory:')
  t.after(() => store.close())
  const candidates = [{ steps: ['a', 'b'], scores: [0.9, 0.7], answer: null }]
  await store.appendTraffic([
    aRecord('a', { candidates }),
    aRecord('b', { candidates, critic: 'other' }),
    aRecord('old', { candidates, at: NOW - 9 }),
  ])
  await store.addFeedback([
    { id: 'a', at: NOW, answer_correct: true, step_labels: [true, false] },
    { id: 'b', at: NOW, answer_correct: false },
    { id: 'old', at: NOW, answer_correct: false },
  ])
  const { verdicts, brier } = await calibrationOf(store, 'critic@0.1.0', NOW)
  assert.equal(verdicts, 3)
  assert.ok(Math.abs(brier! - (0.2 ** 2 + 0.1 ** 2 + 0.7 ** 2) / 3) < 1e-12)
  const at = (verdicts: number, brier: number) => ({ verdicts, brier })
  assert.deepEqual(calibrationFaults(at(50, 0.1), at(50, 0.19)), [])
  assert.deepEqual(calibrationFaults(at(50, 0.1), at(29, 0.9)), [])
  assert.match(calibrationFaults(at(50, 0.1), at(50, 0.3)).join(), /miss feedback by 0\.20 more/)
})

test('clients keep their place, places are spread evenly, and another candidate deals anew', () => {
  const places = Array.from({ length: 2000 }, (_, i) => placeOf('c', `client ${i}`))
  assert.equal(placeOf('c', 'client 7'), places[7])
  const share = places.filter(place => place < 0.1).length / places.length
  assert.ok(share > 0.07 && share < 0.13, `${share}`)
  assert.notEqual(placeOf('d', 'client 7'), places[7])
})
