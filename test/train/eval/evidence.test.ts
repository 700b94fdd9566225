// What the exact checker says of steps of known truth, counted by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceFigures, evidenceSection } from '../../../src/train/eval/evidence.ts'
import type { LabelledItem, Subset } from '../../../src/train/eval/labelled.ts'

const item = (steps: readonly string[], truths: readonly (boolean | null)[]): LabelledItem => ({
  problem: 'A box holds 48 pens. Half are sold.',
  steps,
  truths,
  firstError: null,
  kind: null,
})

const SUBSET: Subset = {
  name: 'pens',
  path: 'pens.jsonl',
  items: [
    item(['48 / 2 = 24.', '24 + 1 = 26, and 48 - 24 = 24.', '26 + 1 = 28.'], [true, false, null]),
    item(['We look at the pens.', 'There are 77 pens.', '48 / 2 = 23.'], [true, false, true]),
    // What an uncounted step states is known afterwards.
    item(['So $x = 5$.', 'Then $2x + 3 = 13$.'], [null, true]),
  ],
}

test('steps are counted by truth: refuted, confirmed, and with a number from nowhere', () => {
  assert.deepEqual(evidenceFigures([SUBSET]), [
    {
      subset: 'pens',
      right: { steps: 4, refuted: 1, confirmed: 2, nowhere: 1 }, // 13
      wrong: { steps: 2, refuted: 1, confirmed: 1, nowhere: 1 },
    },
  ])
})

test('the table shows counts with their shares, and a dash where there is no step', () => {
  const none = { steps: 0, refuted: 0, confirmed: 0, nowhere: 0 }
  const right = { steps: 200, refuted: 1, confirmed: 50, nowhere: 3 }
  assert.deepEqual(evidenceSection([{ subset: 's', right, wrong: none }]).rows, [
    ['s', 'right', '200', '1 (0.5 %)', '50 (25.0 %)', '3 (1.5 %)'],
    ['s', 'wrong', '0', '–', '–', '–'],
  ])
})
