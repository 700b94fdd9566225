// Hand features: each says what its name says, stays finite and bounded, and depends on no later step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createReader } from '../../src/answer/reader.ts'
import { createFeatureReader, FEATURES } from '../../src/critic/features.ts'

type Name = (typeof FEATURES)[number]

/** The features of every step, by name. */
function featuresOf(problem: string, steps: readonly string[]): Record<Name, number>[] {
  const reader = createReader(problem)
  const featuresOf = createFeatureReader(problem)
  return steps.map(step => {
    const vector = featuresOf(step, reader.read(step))
    assert.equal(vector.length, FEATURES.length)
    return Object.fromEntries(FEATURES.map((name, i) => [name, vector[i]!])) as Record<Name, number>
  })
}

const PROBLEM = 'Tom has 12 apples and eats 5. How many are left?'
const last = (steps: readonly string[]) => featuresOf(PROBLEM, steps).at(-1)!

const CASES: readonly { given: readonly string[]; want: Partial<Record<Name, number>> }[] = [
  {
    given: ['12 - 5 = 7'],
    want: { any_failed: 0, log_equations: Math.log(2), share_given: 2 / 3, share_computed: 1 / 3 },
  },
  { given: ['12 - 5 = 8'], want: { any_failed: 1, log_equations: Math.log(2) } },
  {
    given: ['12 - 5 = 8', 'So 8.'],
    want: { any_failed: 0, share_known: 1, concludes: 1, log_position: Math.log(3) / 2 },
  },
  {
    given: ['He buys 431 pears'],
    want: { log_nowhere: Math.log(2), log_numbers: Math.log(2) / 2, share_given: 0 },
  },
  { given: ['12 apples'], want: { log_nowhere: 0, share_given: 1 } },
  {
    given: ['abcd'],
    want: { log_chars: Math.log(5) / 5, share_digits: 0, share_operators: 0, log_numbers: 0 },
  },
  { given: ['1+2='], want: { share_digits: 0.5, share_operators: 0.5 } },
  { given: ['$\\frac{1}{2}$'], want: { share_latex: 7 / 13 } },
  { given: ['apples left'], want: { overlap_problem: 1, overlap_before: 0 } },
  { given: ['apples gone', 'apples here'], want: { overlap_problem: 0.5, overlap_before: 0.5, repeats: 0 } },
  { given: ['Eat Apples ', 'eat apples'], want: { repeats: 1, overlap_before: 1 } },
  { given: ['The answer is 7.'], want: { says_answer: 1, concludes: 0 } },
  { given: ['It is \\boxed{7}'], want: { says_answer: 1 } },
  { given: ['Therefore, none.'], want: { concludes: 1, says_answer: 0 } },
  { given: ['Also none.'], want: { concludes: 0 } },
  { given: ['Wait, maybe not'], want: { hedges: 1 } },
  { given: ['How many apples are left?'], want: { asks: 1, hedges: 0 } },
]
for (const { given, want } of CASES) {
  test(`features of ${JSON.stringify(given)}`, () => {
    const got = last(given)
    for (const [name, value] of Object.entries(want))
      assert.ok(Math.abs(got[name as Name] - value) < 1e-6, `${name}: ${got[name as Name]}, want ${value}`)
  })
}

test('every feature has a case', () => {
  const covered = new Set(CASES.flatMap(({ want }) => Object.keys(want)))
  const seen: readonly Name[] = ['log_chars_so_far', 'log_problem_chars'] // tested below
  assert.deepEqual(
    FEATURES.filter(name => !covered.has(name) && !seen.includes(name)),
    [],
  )
})

test('lengths add up over the steps', () => {
  const [first, second] = featuresOf('abc', ['12345', '123'])
  assert.ok(Math.abs(first!.log_chars_so_far - Math.log(6) / 6) < 1e-6)
  assert.ok(Math.abs(second!.log_chars_so_far - Math.log(9) / 6) < 1e-6)
  assert.ok(Math.abs(second!.log_problem_chars - Math.log(4) / 6) < 1e-6)
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.constantFrom('apples ', '12 ', '= ', '+ ', '7', '. ', 'So ', '\\frac{1}{2}'), { maxLength: 12 })
    .map(p => p.join('')),
)

test('features are finite, shares are shares, and later steps change nothing', () => {
  fc.assert(
    fc.property(anyText, fc.array(anyText, { minLength: 1, maxLength: 5 }), (problem, steps) => {
      const all = featuresOf(problem, steps)
      for (const features of all) {
        for (const name of FEATURES) {
          assert.ok(features[name] >= 0 && features[name] < 10, `${name} ${features[name]}`)
          if (/^(share|overlap|any|repeats|concludes|says|hedges|asks)/.test(name))
            assert.ok(features[name] <= 1, name)
        }
      }
      assert.deepEqual(featuresOf(problem, steps.slice(0, -1)), all.slice(0, -1))
    }),
  )
})
