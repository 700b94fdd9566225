// What servers count while a candidate is tried out, how the counts of several add up, and what they say. Pure; knows no critic.

/** Calls of one critic on live traffic. */
export interface Arm {
  readonly calls: number
  readonly errors: number
  readonly ms: number
  /** Sum of the squares of the calls' times. */
  readonly ms_squared: number
  readonly tokens: number
  readonly steps: number
  /** Sum of the step scores. */
  readonly scores: number
}

export interface Tally {
  /** What serves, and the candidate. */
  readonly serving: Arm
  readonly candidate: Arm
  /** Step scores of both for the same step, [serving, candidate]; a sample. */
  readonly pairs: readonly (readonly [number, number])[]
  /** Steps scored by both, and those of them with another verdict. */
  readonly compared: number
  readonly flips: number
  /** Critiques that were to be compared but for which there was no time. */
  readonly dropped: number
}

const NO_CALLS: Arm = { calls: 0, errors: 0, ms: 0, ms_squared: 0, tokens: 0, steps: 0, scores: 0 }

export const EMPTY_TALLY: Tally = {
  serving: NO_CALLS,
  candidate: NO_CALLS,
  pairs: [],
  compared: 0,
  flips: 0,
  dropped: 0,
}

/** Pairs one server keeps. */
export const MOST_PAIRS = 400

const addArms = (a: Arm, b: Arm): Arm => ({
  calls: a.calls + b.calls,
  errors: a.errors + b.errors,
  ms: a.ms + b.ms,
  ms_squared: a.ms_squared + b.ms_squared,
  tokens: a.tokens + b.tokens,
  steps: a.steps + b.steps,
  scores: a.scores + b.scores,
})

/** Adds up what several servers counted. */
export const addTallies = (tallies: readonly Tally[]): Tally =>
  tallies.reduce(
    (a, b) => ({
      serving: addArms(a.serving, b.serving),
      candidate: addArms(a.candidate, b.candidate),
      pairs: [...a.pairs, ...b.pairs],
      compared: a.compared + b.compared,
      flips: a.flips + b.flips,
      dropped: a.dropped + b.dropped,
    }),
    EMPTY_TALLY,
  )

/** One call more: an answer's time, tokens and scores, or an error. */
export function count(
  arm: Arm,
  call: { readonly ms: number; readonly tokens: number; readonly scores: readonly number[] } | 'error',
): Arm {
  if (call === 'error') return { ...arm, calls: arm.calls + 1, errors: arm.errors + 1 }
  const { ms, tokens, scores } = call
  const sum = scores.reduce((total, score) => total + score, 0)
  const steps = scores.length
  return addArms(arm, { calls: 1, errors: 0, ms, ms_squared: ms * ms, tokens, steps, scores: sum })
}

/** Rates and means of one critic; null where it was not asked. */
export interface ArmFigures {
  readonly calls: number
  readonly error_rate: number | null
  readonly ms_per_token: number | null
  /** Two standard errors below `ms_per_token`: one call that had to wait does not make a critic slow. */
  readonly ms_per_token_low: number | null
  readonly mean_score: number | null
}

/** What the counts of one critic say. */
export function armFigures({ calls, errors, ms, ms_squared, tokens, steps, scores }: Arm): ArmFigures {
  const answered = calls - errors
  const spread = Math.sqrt(Math.max(0, ms_squared - ms ** 2 / answered))
  return {
    calls,
    error_rate: calls === 0 ? null : errors / calls,
    ms_per_token: tokens === 0 ? null : ms / tokens,
    ms_per_token_low: tokens === 0 ? null : Math.max(0, ms - 2 * spread) / tokens,
    mean_score: steps === 0 ? null : scores / steps,
  }
}

export interface TallyFigures {
  readonly serving: ArmFigures
  readonly candidate: ArmFigures
  readonly compared_steps: number
  /** Share of steps with another verdict, each critic at its own τ; null where no step was compared. */
  readonly flip_rate: number | null
  /** Spearman's, over the sample of pairs, in [-1, 1]; null where it cannot be said. */
  readonly rank_correlation: number | null
  /** Mean of candidate - serving over the sample of pairs. */
  readonly score_drift: number | null
  readonly dropped: number
}

/** What the counts say. */
export function tallyFigures({ serving, candidate, pairs, compared, flips, dropped }: Tally): TallyFigures {
  const drift = pairs.reduce((sum, [was, is]) => sum + is - was, 0) / pairs.length
  return {
    serving: armFigures(serving),
    candidate: armFigures(candidate),
    compared_steps: compared,
    flip_rate: compared === 0 ? null : flips / compared,
    rank_correlation: orNull(spearman(pairs)),
    score_drift: orNull(drift),
    dropped,
  }
}

const orNull = (x: number): number | null => (Number.isFinite(x) ? x : null)

/** Spearman's rank correlation: Pearson's of the ranks, ties with their mean rank. NaN where one side does not vary. */
export function spearman(pairs: readonly (readonly [number, number])[]): number {
  const [a, b] = [0, 1].map(side => ranks(pairs.map(pair => pair[side]!))) as [number[], number[]]
  const centre = (pairs.length + 1) / 2
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, rank, i) => sum + (rank - centre) * (y[i]! - centre), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!)
  const found = values.map(() => 0)
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++
    for (let k = from; k < to; k++) found[order[k]!] = (from + 1 + to) / 2
    from = to
  }
  return found
}
