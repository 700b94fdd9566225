// First-error figures of whole runs, against values worked out by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StepJudge } from '../../../src/train/eval/judge.ts'
import type { LabelledItem, Subset } from '../../../src/train/eval/labelled.ts'
import { markdown } from '../../../src/train/eval/markdown.ts'
import { evalProcessBench } from '../../../src/train/eval/processbench.ts'
import { processBenchSections } from '../../../src/train/eval/processbench-report.ts'

/** A step that reads as its own score; `?` is unscored. */
const readingJudge = (name: string, threshold: number | null, isProbability = true): StepJudge => ({
  name,
  threshold,
  isProbability,
  judge: async items => items.map(({ steps }) => steps.map(step => (step === '?' ? null : Number(step)))),
})

function item(problem: string, steps: readonly string[], firstError: number, kind?: string): LabelledItem {
  const truths = steps.map((_, i) =>
    firstError < 0 || i < firstError ? true : i === firstError ? false : null,
  )
  return { problem, steps, truths, firstError, kind: kind ?? null }
}
const subset = (name: string, items: readonly LabelledItem[]): Subset => ({ name, path: name, items })

// Best threshold .6: finds both errors and passes both correct ones. At τ = .5 the error at .55 is missed.
const FIRST = subset('first', [
  item('a', ['.9', '.8'], -1),
  item('b', ['.7'], -1),
  item('c', ['.9', '.2', '.1'], 1, 'slip'),
  item('d', ['.55', '.9'], 0, 'units'),
])
// At .6: the correct one is passed, the error is found one step too early. At .5 the error is found.
const SECOND = subset('second', [
  item('e', ['.9'], -1),
  item('f', ['.55', '.3', '?'], 1),
  item('g', ['?', '.8'], 1),
])

const run = (subsets: Subset[], judges: StepJudge[], thresholdFrom = subsets[0]!.name) =>
  evalProcessBench(subsets, judges, { thresholdFrom, seed: 1 })

test('own τ and a threshold taken from one subset for all, marked where it was chosen', async () => {
  const { rows, means, threshold_from } = await run([FIRST, SECOND], [readingJudge('r', 0.5)])
  const [first, second] = rows as [(typeof rows)[0], (typeof rows)[0]]
  assert.equal(threshold_from, 'first')
  assert.deepEqual([first.own!.threshold, first.own!.acc_error, first.own!.acc_correct], [0.5, 50, 100])
  assert.ok(Math.abs(first.own!.f1.value - 200 / 3) < 1e-9)
  const { threshold, from, chosen_here, f1, acc_error } = first.shared
  assert.deepEqual([from, chosen_here, f1.value, acc_error], ['first', true, 100, 100])
  assert.ok(threshold > 0.55 && threshold <= 0.7)
  assert.deepEqual([second.shared.threshold, second.shared.chosen_here], [threshold, false])
  assert.deepEqual([second.shared.acc_error, second.shared.f1.value], [0, 0])
  assert.deepEqual([second.own!.acc_error, second.own!.acc_correct], [50, 100])
  assert.equal(means.length, 1)
  assert.equal(means[0]!.shared_f1.value, 50)
  assert.ok(Math.abs(means[0]!.own_f1!.value - 200 / 3) < 1e-9)
})

test('the threshold may come from another subset than the first', async () => {
  const { rows } = await run([FIRST, SECOND], [readingJudge('r', null)], 'second')
  assert.deepEqual(
    rows.map(row => row.shared.chosen_here),
    [false, true],
  )
  assert.ok(rows.every(row => row.own === null))
})

test('steps: area, balanced accuracy apart from F1, unscored ones counted', async () => {
  const { rows } = await run([FIRST, SECOND], [readingJudge('r', 0.5)])
  // right .9 .8 .7 .9, wrong .2 .55
  assert.equal(rows[0]!.step_auc.value, 1)
  assert.equal(rows[0]!.own!.balanced_step_accuracy, 75) // all right ones, one of two wrong ones
  assert.equal(rows[0]!.unscored, 0)
  // right .9 .55, wrong .3 .8; the unscored step of g is known to be right
  assert.equal(rows[1]!.step_auc.value, 0.75)
  assert.equal(rows[1]!.unscored, 1)
})

test('baselines take their threshold in the same way, and no calibration is asked of them', async () => {
  const { rows, ece } = await run([FIRST, SECOND], [readingJudge('r', 0.5), readingJudge('b', null, false)])
  const baseline = rows.filter(row => row.critic === 'b')
  assert.deepEqual(
    baseline.map(row => [row.own, row.ece, row.shared.from]),
    [
      [null, null, 'first'],
      [null, null, 'first'],
    ],
  )
  assert.ok(ece > 0 && rows[0]!.ece! > 0)
})

test('an item whose first error is open counts in step figures only', async () => {
  const open = { ...item('h', ['.1', '.9'], -1), truths: [null, true], firstError: null }
  const { rows } = await run([subset('open', [...FIRST.items, open])], [readingJudge('r', 0.5)])
  assert.equal(rows[0]!.own!.acc_correct, 100)
  assert.equal(
    rows[0]!.by_position.reduce((sum, group) => sum + group.right, 0),
    5,
  )
})

test('intervals hold their figures, and the same seed gives the same ones', async () => {
  const one = await run([FIRST, SECOND], [readingJudge('r', 0.5)])
  assert.deepEqual(await run([FIRST, SECOND], [readingJudge('r', 0.5)]), one)
  for (const row of one.rows)
    for (const { value, low, high } of [row.own!.f1, row.shared.f1, row.step_auc])
      assert.ok(low <= value && value <= high)
})

test('the report marks an F1 whose threshold was chosen on the same solutions, and keeps SPC apart', async () => {
  const text = markdown(processBenchSections(await run([FIRST, SECOND], [readingJudge('r', 0.5)])))
  const tables = text.split(/^## /m)
  assert.match(tables.find(t => t.startsWith('First wrong step, first'))!, /100\.0 \[[^\]]*\] \*/)
  assert.match(tables.find(t => t.startsWith('First wrong step, first'))!, /upper bound/)
  assert.doesNotMatch(tables.find(t => t.startsWith('First wrong step, second'))!, /\*|upper bound/)
  assert.ok(tables.some(t => t.startsWith('Mean of the subsets')))
  assert.ok(tables.some(t => t.startsWith('Step AUC by kind of error, first')))
  assert.ok(!tables.some(t => t.startsWith('Step AUC by kind of error, second')))
  assert.match(tables.find(t => t.startsWith('Balanced step accuracy'))!, /not to be compared with F1/)
  assert.match(tables.find(t => t.startsWith('Calibration of r'))!, /0\.9–1\.0/)
})
