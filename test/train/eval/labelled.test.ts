// Labelled solutions: what is read, what is refused, and how steps fall into groups.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import {
  knownSteps,
  type LabelledItem,
  problemNumbers,
  readSubsets,
} from '../../../src/train/eval/labelled.ts'
import { byKind, byLength, byPosition, groupFigures } from '../../../src/train/eval/step-groups.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

function read(records: readonly unknown[], name = 'some.jsonl'): readonly LabelledItem[] {
  const path = join(folder.path, name)
  writeJsonl(path, records)
  return readSubsets([path])[0]!.items
}

const READ: readonly { given: object; truths: (boolean | null)[]; firstError: number | null }[] = [
  { given: { label: -1 }, truths: [true, true, true], firstError: -1 },
  { given: { label: 0 }, truths: [false, null, null], firstError: 0 },
  { given: { label: 2 }, truths: [true, true, false], firstError: 2 },
  { given: { labels: [1, 0, 1] }, truths: [true, false, true], firstError: 1 },
  { given: { labels: [true, true, true] }, truths: [true, true, true], firstError: -1 },
  { given: { labels: [0.9, 0.5, 0.2] }, truths: [true, true, false], firstError: 2 },
  { given: { labels: [null, false, true] }, truths: [null, false, true], firstError: null },
  { given: { labels: [true, null, true] }, truths: [true, null, true], firstError: null },
  { given: { labels: [false, null, null] }, truths: [false, null, null], firstError: 0 },
  { given: { label: 1, labels: [true, true, true] }, truths: [true, false, null], firstError: 1 },
]
for (const { given, truths, firstError } of READ)
  test(`${JSON.stringify(given)} is read as first error ${firstError}`, () => {
    const [item] = read([{ problem: 'p', steps: ['a', 'b', 'c'], ...given }])
    assert.deepEqual(item!.truths, truths)
    assert.equal(item!.firstError, firstError)
  })

const REFUSED: readonly { given: object; want: RegExp }[] = [
  { given: { steps: ['a'], label: 0 }, want: /record 2: problem must be a text/ },
  { given: { problem: 'p', steps: [], label: -1 }, want: /steps must be a list of texts/ },
  { given: { problem: 'p', steps: ['a', 1], label: -1 }, want: /steps must be a list of texts/ },
  { given: { problem: 'p', steps: ['a'], label: 1 }, want: /from 0 to 0, or -1/ },
  { given: { problem: 'p', steps: ['a'], label: '0' }, want: /label must be the index/ },
  { given: { problem: 'p', steps: ['a'] }, want: /needs label .* or labels/ },
  { given: { problem: 'p', steps: ['a'], labels: [1, 1] }, want: /needs label .* or labels/ },
  { given: { problem: 'p', steps: ['a'], labels: [2] }, want: /labels must be true, false, null/ },
]
for (const { given, want } of REFUSED)
  test(`a record ${JSON.stringify(given)} is refused by its place`, () =>
    assert.throws(() => read([{ problem: 'p', steps: ['a'], label: -1 }, given]), want))

test('an empty file and two files of one name are refused', () => {
  assert.throws(() => read([], 'empty.jsonl'), /has no records/)
  assert.throws(() => readSubsets(['a/x.jsonl.gz', 'b/x.jsonl']), /two files of --data are called x/)
})

test('subsets are named after their files', () => {
  const path = join(folder.path, 'mine.jsonl.gz')
  writeJsonl(path, [{ problem: 'p', steps: ['a'], label: -1, kind: 'units' }])
  const [subset] = readSubsets([path])
  assert.equal(subset!.name, 'mine')
  assert.equal(subset!.items[0]!.kind, 'units')
})

test('solutions of one problem are resampled together', () => {
  const of = (problem: string) => ({ problem, steps: [] })
  assert.deepEqual(problemNumbers([of('a'), of('b'), of('a')]), { of: [0, 1, 0], count: 2 })
})

const step = (chars: number): string => 'x'.repeat(chars)
const ITEMS = read(
  [
    { problem: 'p', steps: [step(1), step(2), step(3)], label: 2, kind: 'slip' },
    { problem: 'p', steps: [step(4), step(5)], label: 0, kind: 'units' },
    { problem: 'q', steps: [step(6), step(7), step(8), step(9), step(10), step(10)], label: -1 },
  ],
  'groups.jsonl',
)

test('known steps are those up to the first error', () => {
  assert.deepEqual(
    knownSteps(ITEMS).map(({ item, step, right, chars }) => [item, step, right, chars]),
    [
      [0, 0, true, 1],
      [0, 1, true, 2],
      [0, 2, false, 3],
      [1, 0, false, 4],
      [2, 0, true, 6],
      [2, 1, true, 7],
      [2, 2, true, 8],
      [2, 3, true, 9],
      [2, 4, true, 10],
      [2, 5, true, 10],
    ],
  )
})

const shape = (groups: ReturnType<typeof byLength>) =>
  groups.map(({ name, steps, firstErrorsOf }) => [name, steps.length, firstErrorsOf])

test('fifths by length', () => {
  assert.deepEqual(shape(byLength(ITEMS)), [
    ['1–2 characters', 2, []],
    ['3–4 characters', 2, [0, 1]],
    ['6–7 characters', 2, []],
    ['8–9 characters', 2, []],
    ['10–10 characters', 2, []],
  ])
})

test('steps of one length are one group', () => {
  const same = read([{ problem: 'p', steps: ['ab', 'cd', 'ef'], label: -1 }], 'same.jsonl')
  assert.deepEqual(shape(byLength(same)), [['2–2 characters', 3, []]])
})

test('groups by position', () => {
  assert.deepEqual(shape(byPosition(ITEMS)), [
    ['1st', 3, [1]],
    ['2nd', 2, []],
    ['3rd–4th', 3, [0]],
    ['5th–8th', 2, []],
    ['9th and later', 0, []],
  ])
})

test('groups by kind: its wrong steps among all right ones; none where no kind is named', () => {
  assert.deepEqual(shape(byKind(ITEMS)), [
    ['slip', 9, [0]],
    ['units', 9, [1]],
  ])
  assert.deepEqual(byKind(read([{ problem: 'p', steps: ['a'], label: 0 }], 'kindless.jsonl')), [])
})

test('figures of a group: ranked among themselves, unscored steps left out, first errors found exactly', () => {
  const scores = [
    [0.9, null, 0.3],
    [0.6, 0.1],
    [0.2, 0.9, 0.9, 0.9, 0.9, 0.9],
  ]
  const figures = groupFigures(byPosition(ITEMS), ITEMS, scores, 0.5)
  assert.deepEqual(figures, [
    { group: '1st', right: 2, wrong: 1, auc: 0.5, found: 0 }, // .9 > .6 > .2; the error at .6 is above τ, the next step is called
    { group: '2nd', right: 2, wrong: 0, auc: null, found: null },
    { group: '3rd–4th', right: 2, wrong: 1, auc: 1, found: 100 },
    { group: '5th–8th', right: 2, wrong: 0, auc: null, found: null },
    { group: '9th and later', right: 0, wrong: 0, auc: null, found: null },
  ])
})
