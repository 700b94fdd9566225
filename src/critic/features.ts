// The hand features of a step that enter the step head beside the hidden state: their names, and how a value becomes
// inputs. Knows no text; feature-reader.ts computes the values.

/**
 * Name -> knots. A feature with knots k0 < … < kn gives n inputs, the i-th rising from 0 at k(i-1) to 1 at k(i): a
 * monotone code in which a small network finds thresholds and shapes that it would not find on one number. The knots
 * stand near the quantiles of model-written solutions. Changing them makes older critics unreadable.
 */
const KNOTS = {
  // size and place
  chars: [0, 15, 30, 50, 70, 90, 115, 145, 180, 230, 310, 450, 700],
  position: [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 20],
  chars_so_far: [0, 60, 120, 200, 300, 420, 560, 730, 1000, 1400, 2200],
  sentences: [0, 1, 2, 3, 5],
  lines: [0, 1, 3, 8],
  sentence_chars: [0, 15, 45, 60, 75, 90, 105, 120, 140, 170, 240],
  chars_before: [0, 40, 70, 90, 115, 140, 180, 240, 300, 420],
  length_ratio: [0, 0.2, 0.5, 0.8, 1, 1.3, 2, 3.5, 5],
  first_digit_at: [0, 10, 20, 35, 60, 110, 250, 500],
  // the problem
  problem_words: [0, 15, 25, 35, 45, 60, 80, 110, 160],
  problem_sentences: [0, 1, 2, 3, 4, 6, 9],
  problem_numbers: [0, 1, 2, 3, 4, 6, 8, 12, 18],
  problem_latex: [0, 1, 4, 10],
  problem_percents: [0, 1, 3],
  // numbers and where they come from
  numbers: [0, 1, 2, 3, 4, 5, 7, 10, 16],
  given: [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1],
  known: [0, 0.15, 0.3, 0.45, 0.6, 0.8, 1],
  computed: [0, 0.15, 0.3, 0.5, 1],
  derived: [0, 1, 2, 4],
  nowhere: [0, 1, 2, 4],
  nowhere_so_far: [0, 1, 2, 4, 8],
  failed: [0, 1],
  failed_so_far: [0, 1, 2, 4],
  last_number: [0, 1, 2, 3, 4, 5, 6, 7],
  last_repeated: [0, 1],
  largest: [0, 1, 2, 3, 4, 5, 7, 10],
  last_value: [0, 1, 2, 3, 4, 5, 7, 10],
  growth: [0, 2, 3.3, 4, 4.7, 6, 8],
  repeated_values: [0, 1, 3, 6, 12],
  longest_number: [0, 1, 2, 3, 4, 6],
  any_fraction: [0, 1],
  problem_used: [0, 0.2, 0.4, 0.6, 0.8, 1],
  problem_unused: [0, 1, 2, 3, 5, 8],
  newly_used: [0, 1, 2, 3],
  steps_since_given: [0, 1, 2, 3, 4, 5, 7, 10, 16],
  problem_used_at_end: [0, 0.5, 0.75, 1],
  from_step_before: [0, 1, 2, 4],
  from_step_before_share: [0, 0.25, 0.5, 0.75, 1],
  // notation
  equations: [0, 1, 2, 4],
  plus: [0, 1, 2, 4],
  minus: [0, 1, 2, 4],
  times: [0, 1, 2, 4],
  divided: [0, 1, 2, 4],
  equals: [0, 1, 2, 4],
  powers: [0, 1, 2, 4],
  comparisons: [0, 1, 2],
  operator_kinds: [0, 1, 2, 3, 4],
  operators_so_far: [0, 1, 3, 6, 10, 16, 25, 50],
  digits_share: [0, 0.02, 0.05, 0.08, 0.12, 0.17, 0.23, 0.32, 0.5],
  operators_share: [0, 0.01, 0.03, 0.05, 0.08, 0.12, 0.2],
  latex_share: [0, 0.01, 0.03, 0.06, 0.1, 0.16, 0.25],
  // words
  long_words_share: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65],
  letters: [0, 1, 2, 3, 5, 8],
  new_letters: [0, 1, 2, 4],
  capitals: [0, 1, 2, 3, 4, 6, 9, 15],
  brackets: [0, 1, 2, 4, 10],
  new_words: [0, 1, 2, 3, 5, 7, 10, 13, 17, 23],
  overlap_problem: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1],
  overlap_before: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1],
  repeats: [0, 1],
  concludes: [0, 1],
  says_answer: [0, 1],
  asks: [0, 1],
  ends_open: [0, 1],
  negations: [0, 1, 2],
  quantifiers: [0, 1, 2, 3],
  reasons: [0, 1, 2],
  conditions: [0, 1, 2],
  comparatives: [0, 1, 2],
  intentions: [0, 1, 2],
  hedges: [0, 1, 2],
  first_person: [0, 1, 2],
  approximations_so_far: [0, 1, 2],
  doubts_so_far: [0, 1, 2, 3],
  // where a solution ends
  last_fraction: [0, 1],
  closes: [0, 1],
} satisfies Readonly<Record<string, readonly number[]>>

export type FeatureName = keyof typeof KNOTS

/** Names of the features, in the order of a step's vector of values. */
export const FEATURE_NAMES = Object.keys(KNOTS) as readonly FeatureName[]

/** What a critic must have been trained with to be readable: each feature's name and knots, in order. */
export const FEATURES: readonly string[] = Object.entries(KNOTS).map(([name, knots]) =>
  [name, ...knots].join(' '),
)

const ALL_KNOTS: readonly (readonly number[])[] = Object.values(KNOTS)

/** Inputs that all features of a step make together. */
export const FEATURE_INPUTS = ALL_KNOTS.reduce((sum, knots) => sum + knots.length - 1, 0)

/** The input that is 1 at a step which draws a conclusion or states an answer, as the last one of a solution does; it is the last input. */
export const CLOSES_INPUT = FEATURE_INPUTS - 1

/**
 * Writes the inputs of one step's values into `out` from `offset` on, each in [0, 1].
 *
 * @param values one a feature, in the order of FEATURE_NAMES
 * @param gain factor of each feature's inputs, asked once a feature: 0 hides it in training, 1 when absent
 */
export function writeFeatureInputs(
  values: ArrayLike<number>,
  out: Float32Array,
  offset: number,
  gain: () => number = () => 1,
): void {
  let at = offset
  for (const [f, knots] of ALL_KNOTS.entries()) {
    const value = values[f]!
    const factor = gain()
    for (let k = 1; k < knots.length; k++) {
      const [low, high] = [knots[k - 1]!, knots[k]!]
      out[at++] = factor * Math.min(1, Math.max(0, (value - low) / (high - low)))
    }
  }
}

/** The inputs of one step's values, see `writeFeatureInputs`. */
export function featureInputs(values: ArrayLike<number>): Float32Array {
  const inputs = new Float32Array(FEATURE_INPUTS)
  writeFeatureInputs(values, inputs, 0)
  return inputs
}
