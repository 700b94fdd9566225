// Answers that are equal as mathematics, with the real library; and that any text is decided without asking too much.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { createAnswerClasses } from '../../src/answer/classes.ts'
import { createSameAnswer, mayBeSame } from '../../src/answer/equivalence.ts'
import { createSymbolicThread } from '../../src/answer/symbolic-thread.ts'

const thread = createSymbolicThread({ deadlineMs: 60_000 })
after(() => thread.close())
const same = createSameAnswer(thread)

test('answers that are equal as mathematics are the same', async () => {
  const table: [a: string, b: string][] = [
    ['0.5', '\\frac{1}{2}'],
    ['\\frac{1}{\\sqrt2}', '\\frac{\\sqrt{2}}{2}'],
    ['\\boxed{2\\sqrt{3}}', '$\\sqrt{12}$'],
    ['(x+1)^2', 'x^2 + 2x + 1'],
    ['x(y+z)', 'xy + xz'],
    ['2^{n+1}', '2 \\cdot 2^n'],
    ['\\sqrt{8+2\\sqrt{15}}', '\\sqrt3+\\sqrt5'],
    ['3\\ln 2', '\\ln 8'],
    ['\\frac{3\\pi}{6}', '\\pi/2'],
    ['(3+2i)(1-i)', '5 - i'],
    ['(1, \\sqrt{8})', '(1, 2\\sqrt{2})'],
    ['[0, \\frac{\\pi}{2})', '[0, \\frac{2\\pi}{4})'],
    ['\\sin^2 x + \\cos^2 x', '1'],
    ['\\frac{x^2-1}{x-1}', 'x+1'],
    ['e^{2}', 'e \\cdot e'],
  ]
  for (const [a, b] of table) assert.equal(await same(a, b), true, `${a} = ${b}`)
})

test('answers that are not equal stay apart', async () => {
  const table: [a: string, b: string][] = [
    ['\\sqrt{2}', '1.41'],
    ['x+1', 'x+2'],
    ['\\sqrt{x^2}', 'x'],
    ['1+i', '1-i'],
    ['(1, 2)', '[1, 2]'],
    ['(1, 2)', '(2, 1)'],
    ['(1, 2)', '1'],
    ['listen', 'silent'],
    ['no', 'on'],
    ['A', 'B'],
    ['2\\pi', '6'],
    ['x', 'y'],
    ['', 'x'],
    ['\\frac{1}{x}', '\\frac{1}{x}+10^{-9}'],
  ]
  for (const [a, b] of table) assert.equal(await same(a, b), false, `${a} ≠ ${b}`)
})

test('where the library says nothing, values at points decide', async () => {
  const silent = createSameAnswer({ ask: async () => null })
  assert.equal(await silent('(x+1)^2', 'x^2+2x+1'), true)
  assert.equal(await silent('(3+2i)(1-i)', '5-i'), false)
})

test('where rounding hides a difference of one, values at points decide nothing', async () => {
  const silent = createSameAnswer({ ask: async () => null })
  assert.equal(await silent('10^{15}\\sqrt2+1', '10^{15}\\sqrt2+2'), false)
  assert.equal(await silent('10^{5}\\sqrt2+1', '1+10^{5}\\sqrt2'), true)
})

test('numbers, words and answers apart at a point ask nothing', async () => {
  let asked = 0
  const counting = createSameAnswer({
    async ask() {
      asked++
      return null
    },
  })
  for (const [a, b] of [
    ['1', '2'],
    ['1/3', '0.33'],
    ['yes', 'no'],
    ['x', 'x+1'],
    ['\\sqrt2', '1.5'],
    ['7', 'x'],
  ])
    assert.equal(await counting(a!, b!), false)
  assert.equal(asked, 0)
  assert.equal(mayBeSame('12', '-7/3'), false)
})

const scraps = fc
  .array(
    fc.constantFrom(
      ...[
        'x',
        'y',
        '2',
        '10',
        '+',
        '-',
        '*',
        '/',
        '^',
        '^{',
        '(',
        ')',
        '[',
        ']',
        '|',
        '{',
        '}',
        '\\sqrt{',
        '\\frac{',
      ],
      ...['}{', ' ', ',', '!', '\\pi', '\\sin ', 'i', 'e', '=', '$', '.', '\\{', '\\}', '_1', '99999999999'],
    ),
    { maxLength: 40 },
  )
  .map(parts => parts.join(''))

test('any two texts are decided, the same way in either order, and a text is the same as itself', async () => {
  const silent = createSameAnswer({ ask: async () => null })
  const text = fc.oneof(scraps, fc.string())
  await fc.assert(
    fc.asyncProperty(text, text, async (a, b) => {
      assert.equal(await silent(a, b), await silent(b, a))
      assert.equal(await silent(a, a), true)
    }),
    { numRuns: 1000 },
  )
})

// Formulas as people write them, most of them odd: huge powers, divisions by zero, nested roots.
const formula: fc.Arbitrary<string> = fc.letrec<{ node: string }>(tie => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('x', 'y', 'i', 'e', '0', '1', '2', '7', '0.5', '99', '\\pi'),
    fc
      .tuple(tie('node'), fc.constantFrom('+', '-', '\\cdot ', '/', '^'), tie('node'))
      .map(([a, op, b]) => (op === '^' ? `(${a})^{${b}}` : `(${a}${op}${b})`)),
    fc
      .tuple(fc.constantFrom('\\sqrt', '\\sin', '\\ln', '-'), tie('node'))
      .map(([op, a]) => (op === '\\sqrt' ? `\\sqrt{${a}}` : `(${op}(${a}))`)),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `\\frac{${a}}{${b}}`),
  ),
})).node

test('no formula holds an answer up for longer than the deadline allows', async t => {
  const deadlineMs = 400
  const brisk = createSymbolicThread({ deadlineMs })
  t.after(() => brisk.close())
  const decide = createSameAnswer(brisk)
  await fc.assert(
    fc.asyncProperty(formula, formula, async (a, b) => {
      const started = performance.now()
      await decide(a, `${a}+${b}-(${b})`)
      const took = performance.now() - started
      assert.ok(took < deadlineMs + 2000, `${took} ms`) // A loaded machine may be late, but never for good.
    }),
    { numRuns: 30 },
  )
})

test('equal answers get the key of the first of them, plain numbers without a question', async () => {
  const asked: string[] = []
  const classes = createAnswerClasses(async (a, b, signal) => {
    asked.push(`${a} ? ${b}`)
    return same(a, b, signal)
  })
  let signals = 0
  const signal = () => {
    signals++
    return new AbortController().signal
  }
  await classes.learn(['12', '$12.00', '1/2'], signal)
  assert.deepEqual([asked, signals], [[], 0])
  await Promise.all([
    classes.learn(['\\sqrt{12}', 'x'], signal),
    classes.learn(['2\\sqrt{3}', '\\sqrt{144}', 'cats'], signal),
  ])
  const keys = ['12.0', '0.5', '\\sqrt{12}', '2\\sqrt 3', '\\sqrt{144}', 'x', 'Cats', 'never learned'].map(
    classes.keyOf,
  )
  assert.deepEqual(keys, ['12', '1/2', '\\sqrt{12}', '\\sqrt{12}', '12', 'x', 'cats', 'never learned'])
})
