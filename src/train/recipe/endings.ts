// Teaches the step head which steps end a solution, from whole solutions, right or wrong: only there does its outcome path speak. Knows no engine.
import { featureInputs } from '../../critic/features.ts'
import type { Example } from '../data/example.ts'
import { featuresOf } from '../data/units.ts'
import { fitLogistic } from '../eval/logistic.ts'
import type { Weights } from '../model/config.ts'
import type { Rng } from '../rng.ts'

/** Solutions learned from, at most: enough for a few hundred weights. */
const MOST_SOLUTIONS = 12_000
/** Other steps of a solution that its last one is told from, at most. */
const OTHERS = 2
const RIDGE = 20
/** Of the logit: what ends a solution is taken to do so, not to do so by a share. */
const SHARPNESS = 20

const WORDS = ['Therefore, ', 'So, ', 'Thus, ', 'Finally, ']
const ANSWER = / The answer is [^ ]*$/

/** GSM8K's loader ends every solution on "The answer is …", which few models write: one in six is left so, the others end without or on a conclusion. */
function variedEnding(solution: Example, i: number, rng: Rng): Example {
  const kind = i % 6
  if (kind === 0) return solution
  const last = (solution.steps.at(-1) ?? '').replace(ANSWER, '')
  return { ...solution, steps: [...solution.steps.slice(0, -1), kind < 3 ? rng.pick(WORDS) + last : last] }
}

/** Whole solutions of many writers: those of `texts` with endings of several kinds. */
export function wholeSolutions(human: readonly Example[], texts: readonly Example[], rng: Rng): Example[] {
  const isWhole = ({ outcome, labels }: Example) => outcome !== undefined || !labels.includes(0) // PRM800K's end at their first error
  const written = texts.map((text, i) => variedEnding(text, i, rng))
  return [...rng.shuffle(human.filter(isWhole)), ...rng.shuffle(written)].filter(
    ({ steps }) => steps.length > 1,
  )
}

/** Weights whose `head.outcome_ends` tell the last step of these solutions from others. */
export function fitEndings(weights: Weights, solutions: readonly Example[], rng: Rng): Weights {
  const rows: Float32Array[] = []
  const isLast: boolean[] = []
  for (const solution of rng.shuffle(solutions).slice(0, MOST_SOLUTIONS)) {
    const steps = featuresOf(solution).map(featureInputs)
    for (const inputs of rng.shuffle(steps.slice(0, -1)).slice(0, OTHERS)) {
      rows.push(inputs)
      isLast.push(false)
    }
    rows.push(steps.at(-1)!)
    isLast.push(true)
  }
  const { slopes, bias } = fitLogistic(rows, isLast, RIDGE).linear
  return {
    ...weights,
    'head.outcome_ends': Float32Array.from(slopes, slope => SHARPNESS * slope),
    'head.outcome_ends_bias': Float32Array.of(SHARPNESS * bias),
  }
}
