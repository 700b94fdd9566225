// What a round's report and a trial tell the monitors: figures by name, whatever a report lacks left out. Knows no metric library.
import type { TallyFigures } from './rollout/tally.ts'

/** A gauge's value with its labels. */
export interface Reading {
  readonly name: keyof typeof GAUGES
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** Every gauge of training: what it says, and the name of its label if it has one. */
export const GAUGES = {
  spar_round_sneaky_success: {
    help: 'Share of sneaky edits that the serving critic took for right in the last round, by kind of error.',
    label: 'operator',
  },
  spar_round_generator_entropy: { help: 'Entropy of the sneaky generator’s policy, in nats.', label: null },
  spar_round_generator_diversity: {
    help: 'How evenly the last round’s edits spread over the kinds of error, from 0 (one kind) to 1.',
    label: null,
  },
  spar_round_ece: { help: 'Calibration error on the slice in the last round.', label: 'critic' },
  spar_round_label_agreement: {
    help: 'AUC of the scores at the time against feedback, over the last round’s traffic.',
    label: null,
  },
  spar_round_inverted_clients: { help: 'Clients whose feedback the last round set aside.', label: null },
  spar_rollout_flip_rate: {
    help: 'Share of live steps on which the candidate gives another verdict.',
    label: null,
  },
  spar_rollout_rank_correlation: {
    help: 'Spearman’s, of candidate and serving critic on live steps.',
    label: null,
  },
  spar_rollout_score_drift: { help: 'Mean of candidate - serving score on live steps.', label: null },
  spar_rollout_error_rate: {
    help: 'Share of calls that failed while a candidate was tried out.',
    label: 'critic',
  },
  spar_rollout_seconds_per_token: {
    help: 'Time of live calls while a candidate was tried out.',
    label: 'critic',
  },
  spar_calibration_brier: {
    help: 'Mean squared difference of scores and feedback in the last hour.',
    label: 'critic',
  },
  spar_canary_score_drift: {
    help: 'Largest change of the serving critic’s scores on fixed items since it first scored them.',
    label: null,
  },
} as const satisfies Record<string, { help: string; label: string | null }>

type Tree = Readonly<Record<string, unknown>>

const tree = (value: unknown): Tree => (typeof value === 'object' && value !== null ? (value as Tree) : {})

const reading = (name: Reading['name'], value: unknown, labels?: Reading['labels']): Reading[] =>
  typeof value === 'number' && Number.isFinite(value) ? [{ name, value, ...(labels && { labels }) }] : []

/** What the figures of a round say. */
export function roundReadings(figures: Tree): Reading[] {
  const { play, admitted, serving, candidate } = Object.fromEntries(
    ['play', 'admitted', 'serving', 'candidate'].map(name => [name, tree(figures[name])]),
  ) as Record<string, Tree>
  const operators = Object.entries(tree(play!['by_operator'])).map(([name, of]) => [name, tree(of)] as const)
  return [
    ...operators.flatMap(([operator, { success }]) =>
      reading('spar_round_sneaky_success', success, { operator }),
    ),
    ...reading('spar_round_generator_entropy', play!['policy_entropy']),
    ...reading('spar_round_generator_diversity', evenness(operators.map(([, { duels }]) => Number(duels)))),
    ...reading('spar_round_ece', serving!['ece'], { critic: 'serving' }),
    ...reading('spar_round_ece', candidate!['ece'], { critic: 'candidate' }),
    ...reading('spar_round_label_agreement', admitted!['label_agreement']),
    ...reading('spar_round_inverted_clients', admitted!['inverted_clients']),
  ]
}

/** What live traffic says of a candidate. */
export function trialReadings({
  flip_rate,
  rank_correlation,
  score_drift,
  ...arms
}: TallyFigures): Reading[] {
  return [
    ...reading('spar_rollout_flip_rate', flip_rate),
    ...reading('spar_rollout_rank_correlation', rank_correlation),
    ...reading('spar_rollout_score_drift', score_drift),
    ...(['serving', 'candidate'] as const).flatMap(critic => [
      ...reading('spar_rollout_error_rate', arms[critic].error_rate, { critic }),
      ...reading(
        'spar_rollout_seconds_per_token',
        arms[critic].ms_per_token === null ? null : arms[critic].ms_per_token / 1000,
        { critic },
      ),
    ]),
  ]
}

/** Pielou's evenness: entropy of the shares over that of equal ones, in [0, 1]; NaN for fewer than two kinds. */
function evenness(counts: readonly number[]): number {
  if (counts.length < 2) return Number.NaN
  const total = counts.reduce((sum, n) => sum + n, 0)
  const entropy = counts.reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0)
  return entropy / Math.log(counts.length)
}
