// The algebra checker: roots, identities, stated values; what it leaves alone; and that hostile text cannot hold it up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAlgebra } from '../../src/answer/algebra.ts'
import { cpuMs } from '../fakes/cpu-clock.ts'

/** Findings of each text, in order; the problem says nothing. */
const read = (...texts: string[]): string[][] => {
  const algebra = createAlgebra('')
  return texts.map(text => algebra.read(text).map(e => `${e.text} ${e.holds ? 'holds' : 'fails'}`))
}

const tables: { name: string; table: [given: string, want: string[]][] }[] = [
  {
    name: 'decides roots, π, bars and sines',
    table: [
      ['$\\sqrt{12} = 2\\sqrt{3}$', ['\\sqrt{12} = 2\\sqrt{3} holds']],
      ['So $\\sqrt{8} = 4\\sqrt{2}$.', ['\\sqrt{8} = 4\\sqrt{2} fails']],
      [
        '$d = \\sqrt{3^2 + 4^2} = \\sqrt{25} = 5$',
        ['\\sqrt{3^2 + 4^2} = \\sqrt{25} holds', '\\sqrt{25} = 5 holds'],
      ],
      ['so r = sqrt(16) = 5', ['sqrt(16) = 5 fails']],
      ['\\(|3 - 5| = 2\\)', ['|3 - 5| = 2 holds']],
      ['$2\\pi + \\pi = 3\\pi$', ['2\\pi + \\pi = 3\\pi holds']],
      ['$\\sqrt[3]{27} = 3$', ['\\sqrt[3]{27} = 3 holds']],
      ['$\\sin 30^\\circ = \\frac{1}{2}$', ['\\sin 30^\\circ = \\frac{1}{2} holds']],
      ['$\\frac{1}{\\sqrt2} = \\frac{\\sqrt 2}{2}$', ['\\frac{1}{\\sqrt2} = \\frac{\\sqrt 2}{2} holds']],
    ],
  },
  {
    name: 'decides simple identities, and slips that no equation to solve could have',
    table: [
      ['$(x+1)(x+2) = x^2 + 3x + 2$', ['(x+1)(x+2) = x^2 + 3x + 2 holds']],
      ['$\\frac{(a+b+c)d}{a+b+c} = d$', ['\\frac{(a+b+c)d}{a+b+c} = d holds']],
      ['$(x+3)^2 = x^2 + 9$', ['(x+3)^2 = x^2 + 9 fails']],
      ['$(x+3)^2 = x^2 + 6x + 8$', ['(x+3)^2 = x^2 + 6x + 8 fails']],
      ['$x^2 - 14x + 11 = (x - 11)(x - 1)$', ['x^2 - 14x + 11 = (x - 11)(x - 1) fails']],
      ['$3(x + 2) = 3x + 2$', ['3(x + 2) = 3x + 2 fails']],
      ['$x - 2 - 2x + 3 - 3x = -4x + 2$', ['x - 2 - 2x + 3 - 3x = -4x + 2 fails']],
      ['$(1 + i)^2 = 2i$', ['(1 + i)^2 = 2i holds']],
      ['$9 - 6i + i^2 = 9 - 6i + 1$', ['9 - 6i + i^2 = 9 - 6i + 1 fails']],
      ['$(a+b)^2 - 2ab = a^2 + b^2$', ['(a+b)^2 - 2ab = a^2 + b^2 holds']],
      ['$(a+b)^2 - 2ab = a^2 + b^2 + 1$', ['(a+b)^2 - 2ab = a^2 + b^2 + 1 fails']],
      ['$\\sin^2 x + \\cos^2 x + y = 1 + y$', ['\\sin^2 x + \\cos^2 x + y = 1 + y holds']],
      ['$\\frac{x^2-1}{x-1} = x + 1$', ['\\frac{x^2-1}{x-1} = x + 1 holds']],
    ],
  },
  {
    name: 'checks an equation with the value that the same text states',
    table: [
      ['So $6y + 1 = 145$, and $y=\\frac{24}{5}$.', ['6y + 1 = 145 fails']],
      ['So 6y + 1 = 145, and y = 24.', ['6y + 1 = 145 holds']],
      ['With $a = 5$ and $b = 2$ we get $a^2 + b = 27$.', ['a^2 + b = 27 holds']],
      ['As $x = 3.33$, $3x = 10$.', []],
    ],
  },
  {
    name: 'leaves equations to solve, cases and what it does not understand alone',
    table: [
      ['$x^2 + 5x = 6$', []],
      ['x - 0.25*x = 72 => x = 72 eggs / 0.75', []],
      ['$2x + 3 = 7$', []],
      ['$85 + x^2 = (x - 17)^2$', []],
      ['$3x + 15 = 8x + 10$', []],
      ['$y = 2x + 1$', []],
      ['If $x = 2$, then $3x = 7$.', []],
      ['$x = 1, 2$ and $3x = 9$', []],
      ['$x = 1$ and $x = 2$ and $3x = 9$', []],
      ['$f(x) = f(3)$', []],
      ['$\\sqrt{2} = 1.41$', []],
      ['$7 = 3 \\pmod 4$', []],
      ['$1/2x = x/2$', []],
      ['$2\\frac{1}{3} = \\sqrt{5}$', []],
      ['θ = atan(1/1) = π/4', []],
      ['Is $\\sqrt{8} = 3$?', []],
      ['It is not true that $\\sqrt{8} = 3$.', []],
      ['$3 + 4 = 8$', []],
      ['$0/x = 1/0$', []],
    ],
  },
]

for (const { name, table } of tables) {
  test(name, () => {
    for (const [given, want] of table) assert.deepEqual(read(given), [want], given)
  })
}

test('a value from an earlier step confirms but does not refute', () => {
  assert.deepEqual(read('So $x = 5$.', 'Then $2x + 3 = 13$.', 'Then $2x + 3 = 14$.'), [
    [],
    ['2x + 3 = 13 holds'],
    [],
  ])
  assert.deepEqual(read('So $x = 5$.', 'And $y = 2$, so $x + y = 8$.'), [[], ['x + y = 8 fails']])
})

test('a finding says in words what it rests on', () => {
  const detail = (text: string) => createAlgebra('').read(text)[0]?.detail
  assert.equal(
    detail('$\\sqrt{8} = 4\\sqrt{2}$'),
    'the left side is about 2.82843, the right side about 5.65685',
  )
  assert.equal(
    detail('$(x+3)^2 = x^2 + 6x + 8$'),
    'the left side is x^2 + 6x + 9, the right side x^2 + 6x + 8',
  )
  assert.equal(detail('$ab + b + 1 = b(a + 1)$'), 'the sides differ by 1 for every a, b')
  assert.equal(detail('$6y + 1 = 145$, so $y = 5$'), 'with y = 5, the left side is 31, the right side 145')
})

// Polynomials written expanded and as a product of (x - root) factors, by JavaScript's own arithmetic.
test('agrees with the machine on factored polynomials, right and off by a constant', () => {
  const term = (value: number, letters: string) => `${value < 0 ? '-' : '+'} ${Math.abs(value)}${letters}`
  fc.assert(
    fc.property(
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
      fc.boolean(),
      (p, q, right) => {
        const factored = `(x ${term(p, '')})(x ${term(q, '')})`
        const expanded = `x^2 ${term(p + q, 'x')} ${term(p * q + (right ? 0 : 1), '')}`
        const found = createAlgebra('').read(`$${factored} = ${expanded}$`)
        assert.deepEqual(
          found.map(e => e.holds),
          [right],
        )
      },
    ),
  )
})

const scraps = fc
  .array(
    fc.constantFrom(
      ...[
        'x',
        'y',
        '2',
        '3.5',
        '+',
        '-',
        '*',
        '/',
        '^',
        '=',
        '(',
        ')',
        '|',
        '{',
        '}',
        '$',
        '\\(',
        '\\)',
        '\\sqrt{',
      ],
      ...[
        '\\frac{',
        '}{',
        ' ',
        ',',
        '\n',
        '\\\\',
        '!',
        '\\pi',
        '\\sin ',
        'i',
        ' so ',
        ' of ',
        '_1',
        "'",
        '&',
        '°',
      ],
    ),
    { maxLength: 50 },
  )
  .map(parts => parts.join(''))

test('any text gives evidence that quotes it, and never throws', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(scraps, fc.string()), { maxLength: 4 }), texts => {
      const algebra = createAlgebra(texts[0] ?? '')
      for (const text of texts) for (const e of algebra.read(text)) assert.ok(text.includes(e.text))
    }),
    { numRuns: 1000 },
  )
})

test('hostile text is read within a second', () => {
  const parts = [
    '(',
    '$',
    '$x=',
    '=',
    'x=',
    '\\sqrt{',
    '\\frac{',
    '|',
    '-',
    '^',
    '2^',
    '9!',
    '9^9^',
    '\\(',
    '\\[',
    '$$',
    'a ',
    '&',
  ]
  for (const part of [
    ...parts,
    'x=1,',
    '$x=(x+1)^{20}$ ',
    '$(x+y)^{24}=(x+z)^{24}$',
    ' a=b',
    'ab',
    '\\sin ',
    '$\\sqrt[',
    '**',
  ]) {
    for (const length of [399, 19_000, 100_000]) {
      const text = part.repeat(Math.ceil(length / part.length))
      for (const given of [text, `$${text}=1$`, `$1=${text}$`]) {
        const started = cpuMs()
        createAlgebra('').read(given)
        const took = cpuMs() - started
        assert.ok(took < 1000, `${part} × ${length}: ${took} ms`)
      }
    }
  }
})
