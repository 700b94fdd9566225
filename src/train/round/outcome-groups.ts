// Outcomes of a round's traffic as groups to fit the step head's outcome path to. Knows no model and no store.
import type { Example } from '../data/example.ts'
import { RIDGES } from '../fit/order.ts'
import type { Weights } from '../model/config.ts'
import { fitEndings } from '../recipe/endings.ts'
import { fitOutcomePath, type OutcomeGroup } from '../recipe/outcome-path.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import type { Figures } from './messages.ts'
import { outcomeExample, type TrafficProblem } from './outcomes.ts'
import type { SourceWeights } from './source-weights.ts'
import type { Ranking } from './teacher.ts'

export interface Outcomes {
  readonly groups: readonly OutcomeGroup[]
  /** Whole solutions of the traffic and of replay, whose last steps show how solutions end; none where the traffic is too little to tell. */
  readonly whole: readonly Example[]
  readonly counts: OutcomeCounts
}

/** Problems whose groups are of feedback, of a teacher, of votes, and of replay. */
interface OutcomeCounts {
  readonly given: number
  readonly taught: number
  readonly voted: number
  readonly replayed: number
}

/** Solutions of one kind that a group has, at most. */
const MOST_OF_A_KIND = 48
/** Weight of replay's groups together, in those of the traffic: what is learned of one writer must hold for the others too. */
const REPLAY_SHARE = 0.2

/** Of fewer problems one cannot tell how a client's solutions end. */
const LEAST_PROBLEMS = 30
/** Whole solutions of the traffic, and of replay, at most. */
const MOST_WHOLE = 1500

/** What outcomes are read off. */
interface OutcomeSources {
  readonly train: readonly TrafficProblem[]
  /** Hold in place of the votes on their problems. */
  readonly rankings?: readonly Ranking[]
  readonly replay: readonly Example[]
}

/** Groups of the traffic's problems, by feedback, votes or a teacher, and of what is replayed. */
export function outcomeGroups(
  { train, rankings = [], replay }: OutcomeSources,
  { teacher, agreement }: Pick<SourceWeights, 'teacher' | 'agreement'>,
  rng: Rng,
): Outcomes {
  const some = (examples: readonly Example[]) => rng.shuffle(examples).slice(0, MOST_OF_A_KIND)
  const isRanked = new Set(rankings.map(({ problem }) => problem))
  const unranked = train.filter(({ problem }) => !isRanked.has(problem))
  const { voted = [], told = [] } = Object.groupBy(unranked, ({ solutions }) =>
    solutions.some(({ outcome }) => outcome?.by === 'agreement') ? 'voted' : 'told',
  )
  const byOutcome = (problems: readonly TrafficProblem[], weight: number) =>
    problems.flatMap(({ solutions }) => groupOf(solutions.map(outcomeExample), weight, some))
  const groups = {
    given: byOutcome(told, 1),
    taught: rankings.flatMap(ranking => groupOf(rankedExamples(ranking), teacher, some)),
    voted: byOutcome(voted, agreement),
  }
  const replayed = [...Map.groupBy(replay, ({ problem }) => problem).values()].flatMap(ofOne =>
    groupOf(ofOne, 1, some),
  )
  const ofTraffic = Object.values(groups).flat()
  const total = ofTraffic.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return NO_OUTCOMES // nothing new to learn: what was learned stays
  const ranked = rankings.map(({ problem, better, worse }) => ({ problem, solutions: [...better, ...worse] }))
  return {
    groups: [
      ...ofTraffic,
      ...replayed.map(group => ({ ...group, weight: (REPLAY_SHARE * total) / replayed.length })),
    ],
    whole: wholeOf([...unranked, ...ranked], replay, rng.fork('whole')),
    counts: {
      given: groups.given.length,
      taught: groups.taught.length,
      voted: groups.voted.length,
      replayed: replayed.length,
    },
  }
}

const rankedExamples = ({ better, worse }: Ranking): Example[] => [
  ...better.map(solution => ({ ...outcomeExample(solution), outcome: 1 as const })),
  ...worse.map(solution => ({ ...outcomeExample(solution), outcome: 0 as const })),
]

export const NO_OUTCOMES: Outcomes = {
  groups: [],
  whole: [],
  counts: { given: 0, taught: 0, voted: 0, replayed: 0 },
}

/**
 * As many of the traffic as of replay, at most: other writers' endings stay known. A solution of several steps whose answer could be read is whole;
 * none where too few problems have one.
 */
function wholeOf(train: readonly TrafficProblem[], replay: readonly Example[], rng: Rng): Example[] {
  const isLong = ({ steps }: Pick<Example, 'steps'>) => steps.length > 1
  const ofTraffic = train
    .map(({ solutions }) => solutions.filter(one => one.answer !== null && isLong(one)).map(outcomeExample))
    .filter(({ length }) => length > 0)
  if (ofTraffic.length < LEAST_PROBLEMS) return []
  const ofReplay = replay.filter(one => one.outcome !== undefined && isLong(one))
  return [ofTraffic.flat(), ofReplay].flatMap(all => rng.shuffle(all).slice(0, MOST_WHOLE))
}

function groupOf(
  examples: readonly Example[],
  weight: number,
  some: (examples: readonly Example[]) => Example[],
): OutcomeGroup[] {
  const right = some(examples.filter(({ outcome }) => outcome === 1))
  const wrong = some(examples.filter(({ outcome }) => outcome === 0))
  return right.length === 0 || wrong.length === 0 || weight === 0 ? [] : [{ right, wrong, weight }]
}

/**
 * Votes agree with each other more than with the truth, and so does a teacher with itself: where it errs, it teaches its error. A fit that is chosen by
 * how well it foretells them trusts them too much.
 */
const LEAST_RIDGE_OF_OPINIONS = 3

/**
 * Weights of which the outcome path alone has changed, and what it came to. What a client's LLM ends its solutions with comes first: an ending that
 * is not taken for one can say nothing of its outcome.
 */
export function learnOutcomes(
  before: Weights,
  { groups, whole, counts }: Outcomes,
  rng: Rng,
): { weights: Weights; figures: Figures } {
  const isOpinion = counts.voted + counts.taught > counts.given
  const ridges = isOpinion ? RIDGES.filter(ridge => ridge >= LEAST_RIDGE_OF_OPINIONS) : RIDGES
  const ended = whole.length > 0 ? fitEndings(before, whole, rng) : before
  const { weights, ridge, loss } = fitOutcomePath(ended, groups, ridges)
  return {
    weights,
    figures: {
      problems: groups.length,
      whole_solutions: whole.length,
      ridge: ridge ?? 'none',
      ...(loss && { loss_before: round(loss.before), loss_after: round(loss.after) }),
    },
  }
}
