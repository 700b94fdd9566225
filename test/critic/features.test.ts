// Hand features: each says what its name says, stays finite and bounded, and depends on no later step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createReader } from '../../src/answer/reader.ts'
import { createFeatureReader } from '../../src/critic/feature-reader.ts'
import {
  CLOSES_INPUT,
  FEATURE_INPUTS,
  FEATURE_NAMES,
  FEATURES,
  type FeatureName,
  writeFeatureInputs,
} from '../../src/critic/features.ts'

type Values = Record<FeatureName, number>

/** The features of every step, by name. */
function featuresOf(problem: string, steps: readonly string[]): Values[] {
  const reader = createReader(problem)
  const features = createFeatureReader(problem, reader.problemNumbers)
  return steps.map(step => {
    const vector = features.read(step, reader.read(step))
    assert.equal(vector.length, FEATURE_NAMES.length)
    return Object.fromEntries(FEATURE_NAMES.map((name, i) => [name, vector[i]!])) as Values
  })
}

const PROBLEM = 'Tom has 12 apples and eats 5. How many are left?'
const last = (steps: readonly string[]) => featuresOf(PROBLEM, steps).at(-1)!

const CASES: readonly { given: readonly string[]; want: Partial<Values> }[] = [
  {
    given: ['12 - 5 = 7'],
    want: {
      failed: 0,
      equations: 1,
      given: 2 / 3,
      computed: 1 / 3,
      last_number: 3,
      numbers: 3,
      newly_used: 2,
    },
  },
  {
    given: ['12 - 5 = 8'],
    want: { failed: 1, equations: 1, last_number: 4, problem_used: 1, problem_unused: 0 },
  },
  {
    given: ['12 - 5 = 8', 'So 8.'],
    want: {
      failed: 0,
      failed_so_far: 1,
      known: 1,
      concludes: 1,
      position: 2,
      last_repeated: 1,
      newly_used: 0,
    },
  },
  { given: ['12 - 5 = 7', 'Then 7 + 12 = 19'], want: { from_step_before: 2, from_step_before_share: 2 / 3 } },
  { given: ['He buys 431 pears'], want: { nowhere: 1, numbers: 1, given: 0, largest: Math.log(432) } },
  { given: ['He buys 431 pears', 'and 977 plums'], want: { nowhere: 1, nowhere_so_far: 2 } },
  {
    given: ['12 apples'],
    want: { nowhere: 0, given: 1, problem_used: 0.5, problem_unused: 1, last_number: 1 },
  },
  { given: ['5 + 12 is 17'], want: { derived: 1, last_value: Math.log(18), any_fraction: 0 } },
  { given: ['5.5'], want: { any_fraction: 1 } },
  { given: ['abcd'], want: { chars: 4, digits_share: 0, operators_share: 0, numbers: 0, last_number: 0 } },
  {
    given: ['1+2='],
    want: { digits_share: 0.5, operators_share: 0.5, plus: 1, equals: 1, operators_so_far: 1 },
  },
  { given: ['2*3 - 4/5', '2^2 < 5'], want: { powers: 1, comparisons: 1, operators_so_far: 3 } },
  { given: ['2*3 - 4/5'], want: { times: 1, minus: 1, divided: 1 } },
  { given: ['$\\frac{1}{2}$'], want: { latex_share: 7 / 13, divided: 1 } },
  { given: ['apples left'], want: { overlap_problem: 1, overlap_before: 0, comparatives: 1 } },
  { given: ['apples gone', 'apples here'], want: { overlap_problem: 0.5, overlap_before: 0.5, repeats: 0 } },
  { given: ['Eat Apples ', 'eat apples'], want: { repeats: 1, overlap_before: 1, chars_so_far: 21 } },
  { given: ['The answer is 7.'], want: { says_answer: 1, concludes: 0, sentences: 1 } },
  { given: ['It is \\boxed{7}'], want: { says_answer: 1 } },
  { given: ['Therefore, none.'], want: { concludes: 1, says_answer: 0, negations: 1 } },
  { given: ['Also one.'], want: { concludes: 0, negations: 0, long_words_share: 0 } },
  { given: ['Remember these'], want: { long_words_share: 0.5 } },
  { given: ['How many apples are left?'], want: { asks: 1, ends_open: 0 } },
  { given: ['We get:\n'], want: { ends_open: 1, lines: 1, first_person: 1 } },
  { given: ['If every x is odd, then y must be'], want: { conditions: 2, quantifiers: 2, letters: 2 } },
  { given: ['Since we need to find it'], want: { reasons: 1, intentions: 2 } },
  { given: ['ab. cd.'], want: { sentence_chars: 3.5, chars_before: 0, length_ratio: 1 } },
  { given: ['abcd', 'ab'], want: { sentence_chars: 2, chars_before: 4, length_ratio: 0.5 } },
  { given: ['eat 12345 (or 7)'], want: { first_digit_at: 4, longest_number: 5, brackets: 2 } },
  { given: ['eat all'], want: { first_digit_at: 500, longest_number: 0, growth: 4 } },
  { given: ['12', '5', '5 + 2'], want: { repeated_values: 1, steps_since_given: 1, operator_kinds: 1 } },
  { given: ['12', 'eat', '25'], want: { growth: 4 + Math.log(26 / 13), steps_since_given: 2 } },
  { given: ['2*3 - 4/5 - 1'], want: { operator_kinds: 3 } },
  { given: ['Let x be X', 'So x + y'], want: { new_letters: 1, capitals: 1 } },
  { given: ['Tom eats pears', 'Bob eats plums'], want: { new_words: 2, capitals: 1 } },
  { given: ['It may probably be 5'], want: { hedges: 2 } },
  { given: ['about 5, rounded', 'That is \\approx 7'], want: { approximations_so_far: 2 } },
  { given: ['However, that is wrong', 'But 5'], want: { doubts_so_far: 3 } },
  { given: ['2.5 or 5'], want: { any_fraction: 1, last_fraction: 0 } },
  { given: ['5 or 2.5'], want: { last_fraction: 1 } },
  { given: ['12 - 5 = 7'], want: { closes: 0, approximations_so_far: 0, doubts_so_far: 0 } },
  { given: ['12 - 5 = 7, and therefore 7'], want: { closes: 1, concludes: 0 } },
  { given: ['**Answer:** 7'], want: { closes: 1 } },
]
for (const { given, want } of CASES) {
  test(`features of ${JSON.stringify(given)}`, () => {
    const got = last(given)
    for (const [name, value] of Object.entries(want))
      assert.ok(
        Math.abs(got[name as FeatureName] - value) < 1e-6,
        `${name}: ${got[name as FeatureName]}, want ${value}`,
      )
  })
}

test('what the problem says is the same for every step', () => {
  const all = featuresOf('Buy 3 of 4, 20% off. Is \\frac{1}{2} left?', ['a', 'b'])
  for (const features of all) {
    assert.equal(features.problem_words, 6)
    assert.equal(features.problem_sentences, 2)
    assert.equal(features.problem_numbers, 4)
    assert.equal(features.problem_latex, 1)
    assert.equal(features.problem_percents, 1)
  }
})

test('how much of the problem is used counts once the step concludes', () => {
  assert.equal(last(['5 apples']).problem_used_at_end, 0.5)
  assert.equal(last(['12 - 5 = 7']).problem_used_at_end, 0.5)
  assert.equal(last(['So 12 are left.']).problem_used_at_end, 0.5)
  assert.equal(last(['12 - 5 = 7', 'So 7 are left.']).problem_used_at_end, 1)
})

test('every feature has a case', () => {
  const covered = new Set(CASES.flatMap(({ want }) => Object.keys(want)))
  assert.deepEqual(
    FEATURE_NAMES.filter(name => !covered.has(name) && !name.startsWith('problem_')),
    [],
  )
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
        for (const name of FEATURE_NAMES) {
          assert.ok(features[name] >= 0 && features[name] < 1e4, `${name} ${features[name]}`)
          if (/share$|^(overlap|repeats|concludes|says|asks|ends|failed$)/.test(name))
            assert.ok(features[name] <= 1, name)
        }
      }
      assert.deepEqual(featuresOf(problem, steps.slice(0, -1)), all.slice(0, -1))
    }),
  )
})

test('inputs rise with the value, one knot after the other, and stay in [0, 1]', () => {
  const inputsOf = (chars: number): Float32Array => {
    const values = FEATURE_NAMES.map(name => (name === 'chars' ? chars : 0))
    const out = new Float32Array(FEATURE_INPUTS + 2).fill(9)
    writeFeatureInputs(values, out, 1)
    assert.equal(out[0], 9)
    assert.equal(out.at(-1), 9)
    return out.slice(1, -1)
  }
  assert.equal(FEATURES[0], 'chars 0 15 30 50 70 90 115 145 180 230 310 450 700')
  assert.deepEqual([...inputsOf(40).slice(0, 5)], [1, 1, 0.5, 0, 0])
  assert.deepEqual([...inputsOf(0)], Array(FEATURE_INPUTS).fill(0))
  assert.deepEqual([...inputsOf(1e9).slice(0, 12)], Array(12).fill(1))
})

test('the closing input is the last one', () => {
  const out = new Float32Array(FEATURE_INPUTS)
  writeFeatureInputs(
    FEATURE_NAMES.map(name => (name === 'closes' ? 1 : 0)),
    out,
    0,
  )
  assert.equal(CLOSES_INPUT, FEATURE_INPUTS - 1)
  assert.deepEqual(
    [...out.entries()].filter(([, x]) => x > 0),
    [[CLOSES_INPUT, 1]],
  )
})

test('a gain is asked once a feature and scales all of its inputs', () => {
  const values = FEATURE_NAMES.map(() => 1e9)
  const out = new Float32Array(FEATURE_INPUTS)
  let asked = 0
  writeFeatureInputs(values, out, 0, () => (asked++ === 0 ? 0 : 2))
  assert.equal(asked, FEATURE_NAMES.length)
  assert.deepEqual([...new Set(out.slice(0, 12))], [0])
  assert.deepEqual([...new Set(out.slice(12))], [2])
})
