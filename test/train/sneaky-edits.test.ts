// Edits of single steps: what each operator does, what counts as proof, and that edits do not show by their form.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format } from '../../src/answer/rational.ts'
import { generateProblem } from '../../src/train/problems/generate.ts'
import type { Difficulty } from '../../src/train/problems/types.ts'
import { createRng } from '../../src/train/rng.ts'
import {
  digitSlips,
  forgottenBorrows,
  forgottenCarries,
  forgottenProducts,
} from '../../src/train/sneaky/digits.ts'
import { sneakyEdits } from '../../src/train/sneaky/edits.ts'
import { formatLike, whole } from '../../src/train/sneaky/step.ts'
import { SNEAKY_OPERATORS, type SneakyContext, type SneakyOperator } from '../../src/train/sneaky/types.ts'

const PROBLEM = 'Ben has 24 figs. Mia has 16 figs more than Ben. How many figs do Ben and Mia have together?'
const FIRST = 'Mia has 24 + 16 = 40 figs.'
const CONTEXT: SneakyContext = {
  problem: PROBLEM,
  previous: [],
  next: 'Together they have 24 + 40 = 64 figs.',
}

const texts = (step: string, context: SneakyContext, operator: SneakyOperator) =>
  sneakyEdits(step, context)
    .filter(edit => edit.operator === operator)
    .map(edit => edit.text)

const TABLE: readonly [SneakyOperator, step: string, context: Partial<SneakyContext>, want: string][] = [
  ['miscopied_operand', FIRST, {}, 'Mia has 42 + 16 = 58 figs.'],
  ['near_miss', FIRST, {}, 'Mia has 24 + 16 = 41 figs.'],
  ['near_miss', FIRST, {}, 'Mia has 24 + 16 = 30 figs.'],
  ['digit_slip', 'Mia has 24 + 18 = 42 figs.', {}, 'Mia has 24 + 18 = 24 figs.'],
  ['carry_error', FIRST, {}, 'Mia has 24 + 16 = 30 figs.'],
  ['carry_error', 'That is 24 * 3 = 72 figs.', {}, 'That is 24 * 3 = 62 figs.'],
  ['wrong_operator', FIRST, {}, 'Mia has 24 - 16 = 8 figs.'],
  ['factor', FIRST, {}, 'Mia has 24 + 16 = 80 figs.'],
  ['factor', FIRST, {}, 'Mia has 48 + 16 = 64 figs.'],
  ['factor', 'It is 3 * 4 * 5 = 60.', {}, 'It is 3 * 4 * 5 = 12.'],
  ['power_of_ten', FIRST, {}, 'Mia has 24 + 16 = 400 figs.'],
  ['sign', 'Ben has 24 - 16 = 8 figs.', {}, 'Ben has 16 - 24 = -8 figs.'],
  ['sign', 'So $x = -7$.', {}, 'So $x = 7$.'],
  ['percent_slip', '30 percent of 50 is 50 * 0.3 = 15.', {}, '30 percent of 50 is 50 * 0.7 = 35.'],
  ['swapped_words', 'First he has more figs.', {}, 'Second he has more figs.'],
  ['swapped_words', 'He has more figs.', {}, 'He has fewer figs.'],
  ['swapped_names', FIRST, {}, 'Ben has 24 + 16 = 40 figs.'],
  ['skipped_step', FIRST, {}, 'Together they have 24 + 40 = 64 figs.'],
  ['repeated_step', FIRST, { previous: ['Let us begin.'] }, 'Let us begin.'],
  ['false_claim', 'In all 24 + 16 = 40. The answer is 40.', {}, 'In all 24 + 16 = 40. The answer is 24.'],
  ['false_claim', 'So the number is even.', {}, 'So the number is odd.'],
  ['copied_number', 'Ben has 24 of them.', {}, 'Ben has 16 of them.'],
  ['wrong_operand', 'She has 40 + 24 = 64.', { previous: [FIRST] }, 'She has 40 + 16 = 56.'],
  ['wrong_operand', '\\(40 \\times 24 = 960\\)', { previous: [FIRST] }, '\\(40 \\times 16 = 640\\)'],
  ['near_miss', '3 hours * $35/hour = $105', {}, '3 hours * $35/hour = $106'],
]

for (const [operator, step, context, want] of TABLE) {
  test(`${operator}: ${step} becomes ${want}`, () => {
    const got = texts(step, { ...CONTEXT, ...context }, operator)
    const all = sneakyEdits(step, { ...CONTEXT, ...context })
    // A text that two operators reach is listed once, under the first of them.
    assert.ok(got.includes(want) || all.some(edit => edit.text === want), got.join('\n'))
    assert.ok(got.length > 0)
  })
}

test('the table above tries every operator', () => {
  assert.deepEqual(new Set(TABLE.map(row => row[0])), new Set(SNEAKY_OPERATORS))
})

test('the rest of the step follows a changed result', () => {
  const step = 'It is 6 * 4 = 24, and 24 - 5 = 19. The answer is 19.'
  const got = texts(step, { problem: 'There are 6 rows of 4.', previous: [] }, 'wrong_operator')
  assert.ok(got.includes('It is 6 + 4 = 10, and 10 - 5 = 5. The answer is 5.'), got.join('\n'))
})

test('an equation that fails is proof', () => {
  for (const edit of sneakyEdits(FIRST, CONTEXT).filter(e => e.operator === 'near_miss')) {
    assert.ok(edit.provably_wrong)
    assert.match(edit.why, /does not hold/)
  }
})

test('words, names and neighbouring steps are no proof', () => {
  const soft: readonly SneakyOperator[] = ['swapped_words', 'swapped_names', 'skipped_step', 'repeated_step']
  const edits = sneakyEdits(FIRST, { ...CONTEXT, previous: ['He has more.'] }).filter(e =>
    soft.includes(e.operator),
  )
  assert.ok(edits.length >= 3)
  assert.deepEqual(
    edits.filter(e => e.provably_wrong),
    [],
  )
})

test('with known values, a consistent edit is proof only when its result is none of them', () => {
  const context = { ...CONTEXT, legitimate: [8, 40, 64] }
  const edits = sneakyEdits(FIRST, context)
  const proven = (text: string) => edits.find(edit => edit.text === text)?.provably_wrong
  assert.equal(proven('Mia has 24 - 16 = 8 figs.'), false)
  assert.equal(proven('Mia has 42 + 16 = 58 figs.'), true)
})

test('without known values, a given number not used yet may be another order, a used one may not', () => {
  const problem = 'He has 9 figs, gets 7, then 5.'
  const first = sneakyEdits('He has 9 + 7 = 16 figs.', { problem, previous: [] })
  assert.equal(first.find(e => e.text === 'He has 9 + 5 = 14 figs.')?.provably_wrong, false)
  const second = sneakyEdits('Then he has 16 + 5 = 21 figs.', {
    problem,
    previous: ['He has 9 + 7 = 16 figs.'],
  })
  assert.equal(second.find(e => e.text === 'Then he has 16 + 7 = 23 figs.')?.provably_wrong, true)
})

test('a turned sign outside an equation is no proof: both roots may be meant', () => {
  const edits = sneakyEdits('So $x = -4$.', { problem: 'Solve $x^2 = 16$.', previous: [] })
  assert.ok(edits.some(e => e.text === 'So $x = 4$.' && !e.provably_wrong))
})

test('an equation that does not hold to begin with is left alone and proves nothing', () => {
  const edits = sneakyEdits('Ben has 5 + 5 = 11 figs more.', CONTEXT)
  assert.deepEqual(
    edits.filter(e => e.provably_wrong),
    [],
  )
})

test('a text without numbers or listed words gives no edit', () => {
  assert.deepEqual(sneakyEdits('Let us see.', { problem: 'Solve it.', previous: [] }), [])
  assert.deepEqual(sneakyEdits('', { problem: '', previous: [] }), [])
})

test('on generated steps: texts differ from the step and each other, ends stay, lengths stay near', () => {
  const rng = createRng(11)
  const own: readonly SneakyOperator[] = ['skipped_step', 'repeated_step']
  for (let i = 0; i < 150; i++) {
    const p = generateProblem(rng, { difficulty: (1 + (i % 5)) as Difficulty })
    p.steps.forEach((step, at) => {
      const next = p.steps[at + 1]
      const edits = sneakyEdits(step, {
        problem: p.problem,
        previous: p.steps.slice(0, at),
        legitimate: p.values,
        ...(next === undefined ? {} : { next }),
      })
      assert.equal(new Set([step, ...edits.map(e => e.text)]).size, edits.length + 1)
      assert.ok(edits.filter(e => e.provably_wrong).length >= 5, step)
      for (const edit of edits) {
        assert.equal(edit.text.at(-1), '.')
        assert.ok(own.includes(edit.operator) || Math.abs(edit.text.length - step.length) <= 3, edit.text)
      }
    })
  }
})

test('digit slips keep the length and never lead with a zero', () => {
  assert.deepEqual(
    digitSlips('12').map(format).toSorted(),
    ['10', '11', '13', '14', '15', '21', '22', '32', '42'].toSorted(),
  )
  assert.ok(!digitSlips('30').some(v => v.n < 10n))
})

test('carries and borrows are forgotten one at a time', () => {
  const table: [got: bigint[], want: bigint[]][] = [
    [forgottenCarries(27n, 45n), [62n]],
    [forgottenCarries(21n, 43n), []],
    [forgottenBorrows(52n, 17n), [45n]],
    [forgottenBorrows(58n, 17n), []],
    [forgottenProducts(24n, 3n), [62n, 82n]],
    [forgottenProducts(3n, 4n), []],
  ]
  for (const [got, want] of table) assert.deepEqual(got, want)
})

test('numbers are written in the manner of the one they replace', () => {
  const table: [value: ReturnType<typeof whole>, like: string, want: string | null][] = [
    [whole(1234), '1,000', '1,234'],
    [whole(1234), '1000', '1234'],
    [{ n: 5n, d: 2n }, '1.25', '2.50'],
    [{ n: 7n, d: 10n }, '0.3', '0.7'],
    [{ n: 1n, d: 5n }, '50%', '20%'],
    [whole(-3), '4', '-3'],
    [{ n: 1n, d: 3n }, '4', null],
  ]
  for (const [value, like, want] of table) assert.equal(formatLike(value, like), want)
})
