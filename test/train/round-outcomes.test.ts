// Outcomes of logged traffic: whom feedback is about, what it says about other answers, and when a majority counts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelledTraffic } from '../../src/store/types.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { aCandidate, logged } from './round-world.ts'

/** Answers as `answer:right|wrong|?:how`, in order. */
const outcomesOf = (traffic: LabelledTraffic[]): string[] =>
  readOutcomes(traffic).flatMap(({ solutions }) =>
    solutions.map(({ answer, outcome }) =>
      outcome === null ? `${answer}:?` : `${answer}:${outcome.right ? 'right' : 'wrong'}:${outcome.by}`,
    ),
  )

const critiques = (answers: readonly (string | null)[], feedback: Record<number, boolean> = {}) =>
  answers.map((answer, i) => {
    const given = feedback[i]
    const said = given === undefined ? [] : [{ at: i, answer_correct: given }]
    return logged(`req_${i}`, 'How many?', [aCandidate(answer, `Way ${i} leads to ${answer}.`)], said)
  })

const CASES: readonly { name: string; traffic: LabelledTraffic[]; want: string[] }[] = [
  {
    name: 'feedback on a critique is about its candidate',
    traffic: critiques(['7', null], { 0: false, 1: true }),
    want: ['7:wrong:feedback', 'null:right:feedback'],
  },
  {
    name: 'feedback on a search is about the chosen candidate, which is first',
    traffic: [
      logged(
        's',
        'How many?',
        ['7', '8', null].map(a => aCandidate(a)),
        [{ at: 1, answer_correct: false }],
      ),
    ],
    want: ['7:wrong:feedback', '8:?', 'null:?'],
  },
  {
    name: 'a right answer makes the same answer right and every other one wrong',
    traffic: critiques(['7', '7', '8', null], { 0: true }),
    want: ['7:right:feedback', '7:right:answer', '8:wrong:answer', 'null:?'],
  },
  {
    name: 'a wrong answer says nothing about other answers',
    traffic: critiques(['7', '7', '8'], { 0: false }),
    want: ['7:wrong:feedback', '7:wrong:answer', '8:?'],
  },
  {
    name: 'four answers with a majority of half are an outcome',
    traffic: critiques(['7', '7', '8', '9', null]),
    want: ['7:right:agreement', '7:right:agreement', '8:wrong:agreement', '9:wrong:agreement', 'null:?'],
  },
  {
    name: 'three answers have no majority',
    traffic: critiques(['7', '7', '7', null]),
    want: ['7:?', '7:?', '7:?', 'null:?'],
  },
  {
    name: 'less than half is no majority',
    traffic: critiques(['7', '7', '8', '9', '10']),
    want: ['7:?', '7:?', '8:?', '9:?', '10:?'],
  },
  {
    name: 'a tie is no majority',
    traffic: critiques(['7', '7', '8', '8']),
    want: ['7:?', '7:?', '8:?', '8:?'],
  },
  {
    name: 'one word of feedback on the problem and the majority does not count',
    traffic: critiques(['7', '7', '7', '8'], { 3: false }),
    want: ['7:?', '7:?', '7:?', '8:wrong:feedback'],
  },
]
for (const { name, traffic, want } of CASES)
  test(name, () => {
    assert.deepEqual(outcomesOf(traffic), want)
  })

test('a solution that was logged many times is one solution, with all that was said about it', () => {
  const same = aCandidate('7')
  const traffic = [
    logged('new', 'How many?', [same], [{ at: 5, step_labels: [false] }]),
    logged('old', ' How many?\n', [same], [{ at: 3, answer_correct: true }]),
    logged('oldest', 'How many?', [same], [{ at: 9, answer_correct: false }]),
  ]
  const [problem, ...others] = readOutcomes(traffic)
  assert.deepEqual(others, [])
  assert.equal(problem!.solutions.length, 1)
  assert.deepEqual(problem!.solutions[0]!.outcome, { right: false, by: 'feedback' })
  assert.deepEqual(problem!.solutions[0]!.stepLabels, [0])
})

test('repeating a solution does not make a majority', () => {
  const traffic = Array.from({ length: 20 }, (_, i) => logged(`req_${i}`, 'How many?', [aCandidate('7')]))
  assert.deepEqual(outcomesOf([...traffic, ...critiques(['8', '9'])]), ['7:?', '8:?', '9:?'])
})

test('the latest feedback wins, of equally late feedback the last to arrive', () => {
  const said = (...feedback: [number, boolean][]) =>
    outcomesOf([
      logged(
        'req',
        'How many?',
        [aCandidate('7')],
        feedback.map(([at, answer_correct]) => ({ at, answer_correct })),
      ),
    ])
  assert.deepEqual(said([2, true], [1, false]), ['7:right:feedback'])
  assert.deepEqual(said([1, true], [2, false]), ['7:wrong:feedback'])
  assert.deepEqual(said([1, true], [1, false]), ['7:wrong:feedback'])
})

/** Critiques of one solution with `answer`, on which clients said so one after the other. */
const saidBy = (answer: string, ...words: [client: string, right: boolean][]): LabelledTraffic[] =>
  words.map(([client, answer_correct], i) => {
    const said = { at: i, answer_correct, step_labels: [answer_correct] }
    const { record, feedback } = logged(`${answer}_${i}`, 'How many?', [aCandidate(answer)], [said])
    return { record: { ...record, client }, feedback }
  })

test('one client cannot overrule another by speaking last: what they contradict each other on is not known', () => {
  assert.deepEqual(outcomesOf(saidBy('7', ['honest', true], ['other', false], ['other', false])), ['7:?'])
  assert.deepEqual(
    outcomesOf([
      ...saidBy('7', ['honest', true], ['other', false]),
      ...critiques(['7', '8']),
      ...saidBy('9', ['honest', false]),
    ]),
    ['7:?', '7:?', '8:?', '9:wrong:feedback'],
    'nor does the answer say anything of other solutions',
  )
  const [problem] = readOutcomes(saidBy('7', ['honest', true], ['other', false]))
  assert.equal(problem!.solutions[0]!.stepLabels, null)
})

test('of several clients most are believed, and each may change its mind', () => {
  assert.deepEqual(outcomesOf(saidBy('7', ['a', true], ['b', true], ['c', false])), ['7:right:feedback'])
  assert.deepEqual(outcomesOf(saidBy('7', ['a', true], ['a', false])), ['7:wrong:feedback'])
})

test('step labels are cut or filled up to the number of steps; null stays unknown', () => {
  const steps = ['one', 'two', 'three']
  const labels = (step_labels: (boolean | null)[]) =>
    readOutcomes([
      logged('req', 'How many?', [{ steps, scores: [0, 0, 0], answer: null }], [{ at: 1, step_labels }]),
    ])[0]!.solutions[0]!.stepLabels
  assert.deepEqual(labels([true, null]), [1, null, null])
  assert.deepEqual(labels([true, true, false, true, true]), [1, 1, 0])
})

test('problems are told apart and candidates without steps are passed over', () => {
  const traffic = [
    logged('a', 'One?', [aCandidate('7'), { steps: [], scores: [], answer: null }]),
    logged('b', 'Two?', [aCandidate('7')]),
  ]
  assert.deepEqual(
    readOutcomes(traffic).map(p => [p.problem, p.solutions.length]),
    [
      ['One?', 1],
      ['Two?', 1],
    ],
  )
})
