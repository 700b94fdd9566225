// Whole solutions with one wrong step: the error is real, its consequences follow, and nothing but the error tells.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEquations } from '../../src/train/problems/arithmetic.ts'
import { generateProblem } from '../../src/train/problems/generate.ts'
import type { Difficulty, GeneratedProblem } from '../../src/train/problems/types.ts'
import { verifySolution } from '../../src/train/problems/verify.ts'
import { createRng } from '../../src/train/rng.ts'
import { applySneaky, corruptSolution, type SpoiledSolution } from '../../src/train/sneaky/apply.ts'
import { changesOf, follow } from '../../src/train/sneaky/follow.ts'
import { createPolicy, type SneakyPolicy } from '../../src/train/sneaky/policy.ts'
import { whole } from '../../src/train/sneaky/step.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from '../../src/train/sneaky/types.ts'

const UNIFORM = createPolicy()

/** A policy that takes one operator wherever it can. */
const only = (operator: SneakyOperator): SneakyPolicy => ({
  weights: SNEAKY_OPERATORS.map(op => (op === operator ? 30 : 0)),
  baselines: SNEAKY_OPERATORS.map(() => 0),
})

function spoiledPairs(
  seed: number,
  count: number,
): { problem: GeneratedProblem; spoiled: SpoiledSolution }[] {
  const rng = createRng(seed)
  return Array.from({ length: count }, (_, i) => {
    const problem = generateProblem(rng, { difficulty: (1 + (i % 5)) as Difficulty })
    const spoiled = corruptSolution(rng, UNIFORM, problem, problem.steps)
    assert.ok(spoiled !== null)
    return { problem, spoiled }
  })
}

const PAIRS = spoiledPairs(21, 1000)

test('the same seed spoils the same way', () => {
  assert.deepEqual(spoiledPairs(4, 20), spoiledPairs(4, 20))
})

test('steps before the wrong one stay, the wrong one changes, and it is wrong for sure', () => {
  for (const { problem, spoiled } of PAIRS) {
    const { steps, wrong_index: at } = spoiled
    assert.ok(spoiled.provably_wrong)
    assert.equal(steps.length, problem.steps.length)
    assert.deepEqual(steps.slice(0, at), problem.steps.slice(0, at))
    assert.notEqual(steps[at], problem.steps[at])
    assert.ok(spoiled.available.includes(spoiled.operator))
  }
})

test('independent verification calls the wrong step wrong, and no step before it', () => {
  let followed = 0
  for (const { problem, spoiled } of PAIRS.filter(p => p.spoiled.propagated)) {
    const truth = verifySolution(problem, spoiled.steps)
    assert.ok(truth.slice(0, spoiled.wrong_index).every(t => t === 'right'))
    // Where a value was given back to the right way, verification may only doubt.
    if (truth[spoiled.wrong_index] === 'wrong') followed++
    else assert.equal(truth[spoiled.wrong_index], 'unknown', spoiled.steps.join('\n'))
  }
  assert.ok(followed / PAIRS.length > 0.98, String(followed))
})

test('later steps follow from the wrong value: their own equations hold', () => {
  for (const { spoiled } of PAIRS.filter(p => p.spoiled.propagated))
    for (const step of spoiled.steps.slice(spoiled.wrong_index + 1))
      assert.ok(
        readEquations(step).every(e => e.holds),
        spoiled.steps.join('\n'),
      )
})

test('nearly every spoiled solution could be followed to its end', () => {
  assert.ok(PAIRS.filter(p => p.spoiled.propagated).length / PAIRS.length > 0.97)
})

test('wrong steps are as long as right ones, and end and start alike', () => {
  const pairs = PAIRS.map(
    ({ problem, spoiled: s }) => [problem.steps[s.wrong_index]!, s.steps[s.wrong_index]!] as const,
  )
  const gap = kolmogorovSmirnov(
    pairs.map(p => p[0].length),
    pairs.map(p => p[1].length),
  )
  const drift = pairs.reduce((sum, [clean, wrong]) => sum + wrong.length - clean.length, 0) / pairs.length
  assert.ok(gap < 0.05, `distance ${gap}`)
  assert.ok(Math.abs(drift) < 0.35, `drift ${drift}`)
  for (const [clean, wrong] of pairs) {
    assert.equal(wrong.at(-1), clean.at(-1))
    assert.equal(wrong.split(' ')[0], clean.split(' ')[0])
    assert.equal(wrong.split(' ').length, clean.split(' ').length)
  }
})

test('every place in a solution is spoiled about as often', () => {
  const five = PAIRS.filter(p => p.problem.difficulty === 4)
  for (let at = 0; at < 5; at++) {
    const share = five.filter(p => p.spoiled.wrong_index === at).length / five.length
    assert.ok(share > 0.1 && share < 0.35, `step ${at}: ${share}`)
  }
})

test('no operator makes up most of the errors under the uniform policy', () => {
  for (const operator of SNEAKY_OPERATORS)
    assert.ok(PAIRS.filter(p => p.spoiled.operator === operator).length / PAIRS.length < 0.25, operator)
})

test('a changed value is carried through mentions and equations', () => {
  const change = changesOf({ from: whole(40), to: whole(58) })
  const table: [text: string, want: string | null][] = [
    [
      'Together they have 24 + 40 = 64 figs. The answer is 64.',
      'Together they have 24 + 58 = 82 figs. The answer is 82.',
    ],
    ['Mia has $40.', 'Mia has $58.'],
    ['Half of it is 40 / 2 = 20, so 20 + 1 = 21.', 'Half of it is 58 / 2 = 29, so 29 + 1 = 30.'],
    ['Nothing here.', 'Nothing here.'],
    ['Each gets 40 / 5 = 8.', null],
    ['That leaves 50 - 40 = 10.', null],
  ]
  for (const [text, want] of table) assert.equal(follow(text, change)?.text ?? null, want)
})

test('a skipped step is gone, a repeated one is there twice, and neither is passed off as proven', () => {
  const steps = [
    'Mia has 24 + 16 = 40 figs.',
    'They have 24 + 40 = 64 figs.',
    'Half is 64 / 2 = 32. The answer is 32.',
  ]
  const problem = 'Ben has 24 figs. Mia has 16 more. They eat half.'
  const spoil = (operator: SneakyOperator) => {
    // The last step has no next one and states the answer: seeds that draw it fall back to another operator.
    for (let seed = 0; seed < 20; seed++) {
      const spoiled = corruptSolution(createRng(seed), only(operator), problem, steps, {
        provableOnly: false,
      })
      if (spoiled?.operator === operator) return spoiled
    }
    return assert.fail(`no seed gave ${operator}`)
  }
  const skipped = spoil('skipped_step')
  assert.deepEqual(skipped.steps, steps.toSpliced(skipped.wrong_index, 1))
  const repeated = spoil('repeated_step')
  assert.equal(repeated.steps.length, steps.length + 1)
  assert.equal(repeated.steps[repeated.wrong_index], steps[repeated.wrong_index - 1])
  assert.equal(skipped.provably_wrong || repeated.provably_wrong, false)
})

test('free text is spoiled too', () => {
  const steps = ['Natalia sold 48/2 = 24 clips in May.', 'Natalia sold 48+24 = 72 clips altogether.']
  const problem =
    'Natalia sold clips to 48 friends in April, and half as many in May. How many clips altogether?'
  for (let seed = 0; seed < 30; seed++) {
    const spoiled = corruptSolution(createRng(seed), UNIFORM, problem, steps)
    assert.ok(spoiled?.provably_wrong)
    assert.notEqual(spoiled.steps[spoiled.wrong_index], steps[spoiled.wrong_index])
  }
})

test('a step of a thousand characters is skipped like any other', () => {
  const next = 'He has 3 + 4 = 7 pens.'
  const step = `Tom has 3 + 0 = 3 pens${' and nothing else'.repeat(60)}.`
  const context = { problem: 'Tom has 3 pens and buys 4.', previous: [], next }
  const edit = applySneaky(createRng(1), only('skipped_step'), step, context)
  assert.deepEqual([edit?.operator, edit?.text], ['skipped_step', next])
})

test('nothing to hold on to gives null', () => {
  assert.equal(corruptSolution(createRng(1), UNIFORM, 'Solve it.', ['Let us see.']), null)
  assert.equal(corruptSolution(createRng(1), UNIFORM, 'Solve it.', []), null)
  assert.equal(
    applySneaky(createRng(1), UNIFORM, 'Let us see.', { problem: 'Solve it.', previous: [] }),
    null,
  )
})

test('one step is edited by the operator the policy wants, wherever that has an edit', () => {
  const context = { problem: 'Ben has 24 figs and Mia 16.', previous: [] }
  for (const operator of ['near_miss', 'wrong_operator', 'factor', 'swapped_names'] as const) {
    const edit = applySneaky(createRng(2), only(operator), 'Mia has 24 + 16 = 40 figs.', context)
    assert.equal(edit?.operator, operator)
  }
  const proven = applySneaky(createRng(2), only('swapped_names'), 'Mia has 24 + 16 = 40 figs.', context, {
    provableOnly: true,
  })
  assert.ok(proven?.provably_wrong)
})

/** Largest distance between the two empirical distribution functions. */
function kolmogorovSmirnov(a: readonly number[], b: readonly number[]): number {
  const below = (values: readonly number[], at: number) => values.filter(v => v <= at).length / values.length
  return Math.max(...[...new Set([...a, ...b])].map(at => Math.abs(below(a, at) - below(b, at))))
}
