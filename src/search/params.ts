// The parameters of every method: one table of ranges and defaults that the contract states and requests are checked by.
import { AGGREGATIONS } from './aggregate.ts'
import { SearchError } from './error.ts'

interface NumberSpec {
  readonly type: 'integer' | 'number'
  readonly minimum: number
  readonly maximum: number
  readonly default: number
  readonly description: string
}

interface ChoiceSpec {
  readonly type: 'string'
  readonly enum: readonly string[]
  readonly default: string
  readonly description: string
}

interface FlagSpec {
  readonly type: 'boolean'
  readonly default: boolean
  readonly description: string
}

type Spec = NumberSpec | ChoiceSpec | FlagSpec

const integer = (minimum: number, maximum: number, fallback: number, description: string) =>
  ({ type: 'integer', minimum, maximum, default: fallback, description }) as const

const number = (minimum: number, maximum: number, fallback: number, description: string) =>
  ({ type: 'number', minimum, maximum, default: fallback, description }) as const

const choice = <const C extends string>(values: readonly C[], fallback: C, description: string) =>
  ({ type: 'string', enum: values, default: fallback, description }) as const

const flag = (fallback: boolean, description: string) =>
  ({ type: 'boolean', default: fallback, description }) as const

/** Name → type, range (inclusive), default and meaning. The entries are valid JSON Schema. */
export const PARAMS = {
  n: integer(1, 64, 8, 'Solutions to sample; with beam, dvts and particle the steps to propose in a round.'),
  early_stop: flag(false, 'Stop sampling once no further sample can change the winning answer.'),
  plans: integer(1, 16, 3, 'Plans to try; solutions without a plan compete with them.'),
  runs: integer(1, 64, 4, 'Independent guarded or revised solutions, combined by majority vote.'),
  regenerations: integer(
    0,
    16,
    5,
    'Times what the critic refuses is sampled again before the best try is taken.',
  ),
  simulations: integer(1, 1024, 16, 'Walks from the root to the end of a solution.'),
  width: integer(1, 16, 4, 'Steps proposed when a node is expanded.'),
  lookahead: integer(
    0,
    8,
    0,
    'Greedy steps to look ahead behind each proposed step; they serve its score only.',
  ),
  parallel: integer(1, 16, 1, 'Simulations that walk at the same time, kept apart by virtual loss.'),
  exploration: number(0, 10, 1.25, 'Constant of the PUCT exploration term.'),
  rollout: number(
    0,
    1,
    0,
    'Weight of a greedy rollout to the end, beside the critic, in what a node is worth before its first visit; 0: no rollouts.',
  ),
  prior: choice(
    ['logprobs', 'uniform', 'critic'],
    'logprobs',
    'Priors of children: a softmax of how likely the LLM found them, equal where it does not tell; equal; or a softmax of critic scores.',
  ),
  prior_temperature: number(0.01, 10, 0.25, 'Temperature of that softmax.'),
  select: choice(
    ['best', 'weighted', 'majority'],
    'weighted',
    'How the answer is chosen among the solutions found.',
  ),
  temperature: number(0, 2, 0.8, 'Sampling temperature.'),
  aggregation: choice(AGGREGATIONS, 'min', 'How step scores become the score of a solution.'),
  min_confidence: number(
    0,
    1,
    0,
    'Score the chosen solution needs, an unscored one counting as 0; below it the answer is null.',
  ),
  max_steps: integer(1, 256, 32, 'Steps a solution may have.'),
  step_max_tokens: integer(1, 8192, 256, 'Completion tokens for one step, or one plan.'),
  max_tokens: integer(1, 32_768, 512, 'Completion tokens for one whole solution, or one comparison of two.'),
  concurrency: integer(1, 64, 8, 'LLM calls at the same time.'),
} as const satisfies Record<string, Spec>

export type ParamName = keyof typeof PARAMS

/** Every parameter with its checked value. */
export type ParamValues = {
  readonly [K in ParamName]: (typeof PARAMS)[K] extends { readonly enum: readonly (infer C)[] }
    ? C
    : (typeof PARAMS)[K] extends FlagSpec
      ? boolean
      : number
}

const COMMON = ['temperature', 'aggregation', 'min_confidence', 'concurrency'] as const
const GENERATING = [...COMMON, 'max_tokens'] as const
const SAMPLING = [...GENERATING, 'n'] as const
const VOTING = [...SAMPLING, 'early_stop'] as const
const STEPWISE = [...COMMON, 'max_steps', 'step_max_tokens'] as const
const BEAMS = [...STEPWISE, 'n', 'width', 'lookahead', 'select'] as const

/** Which parameters each method takes. */
export const METHOD_PARAMS = {
  best_of_n: SAMPLING,
  weighted_best_of_n: VOTING,
  self_consistency: VOTING,
  pairwise: SAMPLING,
  beam: BEAMS,
  dvts: BEAMS,
  particle: [...STEPWISE, 'n', 'select'],
  // max_tokens is for an LLM that cannot continue a partial answer: there the guard samples whole solutions.
  guard: [...STEPWISE, 'runs', 'regenerations', 'max_tokens'],
  revise: [...GENERATING, 'runs', 'regenerations'],
  plan: [...SAMPLING, 'plans', 'step_max_tokens', 'select'],
  mcts: [
    ...STEPWISE,
    'simulations',
    'width',
    'parallel',
    'exploration',
    'rollout',
    // For rollouts.
    'max_tokens',
    'prior',
    'prior_temperature',
    'select',
  ],
  auto: [...SAMPLING, 'max_steps', 'step_max_tokens', 'width'],
} as const satisfies Record<string, readonly ParamName[]>

export type MethodName = keyof typeof METHOD_PARAMS

/** All method names, in the order of the contract. */
export const METHOD_NAMES = Object.keys(METHOD_PARAMS) as readonly MethodName[]

function problemWith(value: unknown, spec: Spec): string | null {
  if (spec.type === 'string') {
    const known = typeof value === 'string' && spec.enum.includes(value)
    return known ? null : `must be one of ${spec.enum.join(', ')}`
  }
  if (spec.type === 'boolean') return typeof value === 'boolean' ? null : 'must be true or false'
  const kind = spec.type === 'integer' ? 'a whole number' : 'a number'
  const fits =
    typeof value === 'number' &&
    value >= spec.minimum &&
    value <= spec.maximum &&
    (spec.type === 'number' || Number.isInteger(value))
  return fits ? null : `must be ${kind} from ${spec.minimum} to ${spec.maximum}`
}

/**
 * Checks a request's parameters and fills in the defaults; undefined means not given.
 * @throws {SearchError} INVALID_REQUEST for a name the method does not take or a value out of range
 */
export function resolveParams(method: MethodName, given: Readonly<Record<string, unknown>>): ParamValues {
  const taken: readonly string[] = METHOD_PARAMS[method]
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(PARAMS).map(([name, spec]) => [name, spec.default]),
  )
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!taken.includes(name)) {
      throw new SearchError('INVALID_REQUEST', `${method} takes no parameter ${JSON.stringify(name)}`)
    }
    const problem = problemWith(value, PARAMS[name as ParamName])
    if (problem !== null) throw new SearchError('INVALID_REQUEST', `${name} ${problem}`)
    values[name] = value
  }
  return values as ParamValues
}
