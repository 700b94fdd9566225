// The problem generator: right by construction, repeatable, varied, of sensible sizes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEquations } from '../../src/train/problems/arithmetic.ts'
import { generateProblem, PROBLEM_KINDS } from '../../src/train/problems/generate.ts'
import { splitOf } from '../../src/train/problems/split.ts'
import type { Difficulty, GeneratedProblem } from '../../src/train/problems/types.ts'
import { statedAnswer, verifySolution } from '../../src/train/problems/verify.ts'
import { createRng } from '../../src/train/rng.ts'

function problems(seed: number, count: number): GeneratedProblem[] {
  const rng = createRng(seed)
  return Array.from({ length: count }, (_, i) =>
    generateProblem(rng, { difficulty: (1 + (i % 5)) as Difficulty }),
  )
}

const MANY = problems(1, 10_000)
const SOME = MANY.slice(0, 2000)

test('the same seed gives the same problems, another seed others', () => {
  assert.deepEqual(problems(2, 50), problems(2, 50))
  assert.notDeepEqual(problems(2, 50), problems(3, 50))
})

test('no two of 10,000 problems of mixed difficulty coincide', () => {
  assert.equal(new Set(MANY.map(p => p.problem)).size, MANY.length)
})

test('every step holds exactly one equation, and it holds', () => {
  for (const p of SOME) {
    for (const step of p.steps) {
      const equations = readEquations(step)
      assert.equal(equations.length, 1, step)
      assert.ok(equations[0]?.holds, step)
      assert.match(step, /\d+(?:\.\d+)? [-+*/] \d+(?:\.\d+)? = \d+(?:\.\d+)?\b/)
    }
  }
})

test('each number a step computes with was given or computed before', () => {
  for (const p of SOME) {
    const known = new Set(p.givens)
    for (const step of p.steps) {
      const equation = readEquations(step)[0]!
      for (const term of equation.operands) assert.ok(known.has(Number(term.text)), `${step} in ${p.problem}`)
      known.add(Number(equation.result.text))
    }
  }
})

test('the last step alone states the answer, and it is the last result', () => {
  for (const p of SOME) {
    assert.ok(p.steps.at(-1)?.endsWith(` The answer is ${p.answer}.`), p.steps.at(-1))
    assert.equal(readEquations(p.steps.at(-1)!)[0]?.result.text, p.answer)
    assert.deepEqual(
      p.steps.slice(0, -1).map(statedAnswer),
      p.steps.slice(0, -1).map(() => null),
    )
  }
})

test('answers are whole and not negative, or money with two decimals', () => {
  for (const p of MANY) assert.match(p.answer, /^(?:0|[1-9]\d*)(?:\.\d\d)?$/)
})

test('difficulty d takes about 1 + d steps', () => {
  for (const p of MANY) assert.ok(Math.abs(p.steps.length - (1 + p.difficulty)) <= 1, p.problem)
  const exact = MANY.filter(p => p.steps.length === 1 + p.difficulty).length
  assert.ok(exact / MANY.length > 0.95)
})

test('sizes stay small: nearly all results below 1000, many of two digits', () => {
  const results = MANY.flatMap(p => p.steps.map(step => Number(readEquations(step)[0]!.result.text)))
  const share = (fits: (value: number) => boolean) => results.filter(fits).length / results.length
  assert.ok(share(v => v < 1000) > 0.99)
  assert.ok(share(v => v >= 10 && v < 100) > 0.45)
  assert.ok(share(v => !Number.isInteger(v)) < 0.05)
})

test('every kind of story comes up, and no kind rules', () => {
  assert.ok(PROBLEM_KINDS.length >= 14)
  for (const kind of PROBLEM_KINDS) {
    const share = MANY.filter(p => p.kind === kind).length / MANY.length
    assert.ok(share > 0.005 && share < 0.1, `${kind}: ${share}`)
  }
})

test('only hard problems carry numbers that nobody needs, and many of them do', () => {
  const spare = (p: GeneratedProblem) =>
    [...p.problem.matchAll(/(?<![\d.])\d+(?:\.\d\d)?/g)].some(([text]) => !p.givens.includes(Number(text)))
  const easy = MANY.filter(p => p.difficulty < 3)
  const hard = MANY.filter(p => p.difficulty >= 3)
  // A growth problem says 5% and counts it as given; a spare number may also coincide with a given one.
  assert.equal(easy.filter(spare).length, 0)
  const share = hard.filter(spare).length / hard.length
  assert.ok(share > 0.15 && share < 0.4, String(share))
})

test('the text reads as text: no gaps, no template marks, no `a apple`, a question at the end', () => {
  for (const p of MANY) {
    for (const text of [p.problem, ...p.steps]) {
      assert.doesNotMatch(text, /\{|\}|undefined|null|NaN| {2}|\.\.|\$\$|\b[Aa] [aeiou]/, text)
      assert.match(text, /^[A-Z0-9]/)
    }
    assert.match(p.problem, /(?:\?|Find the number of [^.?]+\.)$/)
  }
})

test('the reference solution is right by its own verdict', () => {
  for (const p of SOME)
    assert.ok(
      verifySolution(p, p.steps).every(truth => truth === 'right'),
      p.problem,
    )
})

test('values hold every result of the reference, in order and once', () => {
  for (const p of SOME) {
    for (const step of p.steps)
      assert.ok(p.values.includes(Number(readEquations(step)[0]!.result.text)), step)
    assert.deepEqual(
      p.values,
      [...new Set(p.values)].sort((a, b) => a - b),
    )
  }
})

test('one text in ten is held out, by the text alone', () => {
  const heldout = MANY.filter(p => splitOf(p.problem) === 'heldout').length / MANY.length
  assert.ok(Math.abs(heldout - 0.1) < 0.01, String(heldout))
  assert.equal(splitOf('Ben has 3 apples.'), splitOf('Ben has 3 apples.'))
})
