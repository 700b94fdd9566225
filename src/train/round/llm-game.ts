// The language model's side of the game: it rewrites right steps wrongly, by kinds of mistakes that it comes to prefer as they fool the
// critic, or as a frozen generator of an earlier round did. A rewritten step that is not shown to be wrong wins nothing and teaches nothing.
// Knows no endpoint and no training.
import { extractAnswer } from '../../answer/extract.ts'
import { AppError } from '../../errors.ts'
import { readSpoiled } from '../../llm/spoil.ts'
import type { Llm } from '../../llm/types.ts'
import type { Meeting } from '../league/league.ts'
import { drawOpponent } from '../league/pfsp.ts'
import { round } from '../recipe/reading.ts'
import type { Rng } from '../rng.ts'
import { ERROR_NAMES, type ErrorType } from '../sneaky/error-types.ts'
import { entropyOf, reinforced, type SoftmaxPolicy, uniformPolicy } from '../sneaky/softmax-policy.ts'
import { drawKind, generatorOf, type LlmGenerator, type LlmOpponent } from './llm-generators.ts'
import { type CleanSolution, type Duel, type Judge, type JudgedDuel, judgeDuels } from './play.ts'
import { type Proof, showWrong } from './rollouts.ts'

export interface LlmGameOptions {
  readonly llm: Llm
  readonly critic: Judge
  readonly threshold: number
  /** In the order of `ERROR_NAMES`; uniform when absent. */
  readonly policy?: SoftmaxPolicy
  /** Frozen generators; nobody when absent. */
  readonly opponents?: readonly LlmOpponent[]
  readonly sources: readonly (readonly CleanSolution[])[]
  readonly rng: Rng
  /** Steps asked for, at most. */
  readonly attempts: number
  readonly signal: AbortSignal
  /** Asked after each handful; true ends the game. */
  readonly isOver: () => boolean
}

export interface LlmGame {
  readonly duels: readonly JudgedDuel[]
  readonly policy: SoftmaxPolicy
  /** Proven wrong steps, and how many of them passed: by the generator that learns, and by each frozen one that was met. */
  readonly own: Meeting
  readonly met: Readonly<Record<string, Meeting>>
  readonly figures: Readonly<Record<string, unknown>>
}

/** Attempts under way at once; the policy moves after them. */
const HANDFUL = 4
const ROLLOUTS = 4
/** Share of the handfuls in which a frozen generator plays, where there is one. */
const FROZEN_SHARE = 0.35
/** A game ends after so many handfuls in which every call failed. */
const PATIENCE = 2
/** A rewritten step is at most this many times as long as the right one, or shorter: length must not tell. */
const LENGTH_FACTOR = 2

/** What became of one attempt. */
interface Attempt {
  /** The frozen generator; null for the one that learns. */
  readonly by: string | null
  readonly error: string
  readonly kind: 'unreadable' | 'unchanged' | 'unproven' | 'proven' | 'failed'
  readonly proof?: Proof
  readonly duel?: Duel
}

/** Plays until time or attempts are used, or the LLM fails again and again. @throws the signal's reason when aborted */
export async function playLlm(options: LlmGameOptions): Promise<LlmGame> {
  const { critic, threshold, rng, signal, opponents = [] } = options
  const sources = options.sources.filter(source => source.length > 0)
  let policy = options.policy ?? uniformPolicy(ERROR_NAMES.length)
  const all: (Attempt & { readonly judged: JudgedDuel | null })[] = []
  let failures = 0
  while (sources.length > 0 && all.length < options.attempts && failures < PATIENCE) {
    signal.throwIfAborted()
    const frozen = opponents.length > 0 && rng.uniform() < FROZEN_SHARE
    // The critic's chance to win is what the generator fails in.
    const met = frozen ? drawOpponent(rng, opponents, ({ success }) => 1 - success) : null
    const generator = met?.generator ?? generatorOf(policy)
    const tried = await Promise.all(
      Array.from({ length: Math.min(HANDFUL, options.attempts - all.length) }, async () => ({
        by: met?.name ?? null,
        ...(await attempt(options, generator, rng.pick(rng.pick(sources)))),
      })),
    )
    failures = tried.every(({ kind }) => kind === 'failed') ? failures + 1 : 0
    const given = tried.flatMap(({ duel }) => duel ?? [])
    const judged = await judgeDuels(critic, threshold, given)
    const verdicts = tried.map(one => ({
      ...one,
      judged: one.duel === undefined ? null : judged[given.indexOf(one.duel)]!,
    }))
    // What is not shown to be wrong is lost: else the generator learns to write right steps that the critic rightly accepts.
    if (met === null)
      policy = reinforced(
        ERROR_NAMES,
        policy,
        verdicts
          .filter(({ kind }) => kind !== 'failed')
          .map(({ error, judged: duel }) => ({ action: error as ErrorType, reward: duel?.fooled ? 1 : -1 })),
      )
    all.push(...verdicts)
    if (options.isOver()) break
  }
  const duels = all.flatMap(({ judged }) => judged ?? [])
  const gamesOf = (by: string | null): Meeting => {
    const judged = all.flatMap(one => (one.by === by ? (one.judged ?? []) : []))
    return { games: judged.length, won: judged.filter(({ fooled }) => fooled).length }
  }
  const names = new Set(all.flatMap(({ by }) => by ?? []))
  const met = Object.fromEntries([...names].map(name => [name, gamesOf(name)]))
  return {
    duels,
    policy,
    own: gamesOf(null),
    met,
    figures: { ...figuresOf(options.llm.name, all, duels, policy), ...(names.size > 0 && { met }) },
  }
}

async function attempt(
  { llm, rng, signal }: LlmGameOptions,
  generator: LlmGenerator,
  { problem, steps }: CleanSolution,
): Promise<Omit<Attempt, 'by'>> {
  const at = rng.int(0, steps.length - 1)
  const { name: error, words } = drawKind(rng, generator)
  const seed = rng.int(0, 2 ** 30)
  const previous = steps.slice(0, at)
  const right = steps[at]!
  const text = typeof problem === 'string' ? problem : problem.problem
  try {
    const { instruction } = generator
    const aim = { kind: 'spoil', previous, step: right, error: words, instruction } as const
    const asked = {
      problem: text,
      aim,
      steps: [],
      until: 'end',
      temperature: 1,
      maxTokens: 600,
      seed,
    } as const
    const wrong = readSpoiled((await llm.propose(asked, signal)).text)
    if (wrong === null || wrong.length > LENGTH_FACTOR * Math.max(40, right.length))
      return { error, kind: 'unreadable' }
    if (squeezed(wrong) === squeezed(right)) return { error, kind: 'unchanged' }
    const answer = typeof problem === 'string' ? extractAnswer(steps.join('\n\n')) : problem.answer
    const alteration = { problem, previous, right, wrong, answer }
    const proof = await showWrong(llm, alteration, { n: ROLLOUTS, seed, signal })
    if (proof === null) return { error, kind: 'unproven' }
    return { error, kind: 'proven', proof, duel: duelOf(text, previous, right, wrong, error, words, proof) }
  } catch (failure) {
    signal.throwIfAborted()
    if (!(failure instanceof AppError)) throw failure
    return { error, kind: 'failed' }
  }
}

const squeezed = (step: string): string => step.replace(/\s+/g, ' ').trim()

/** Both sides end at the step in question: what would follow the wrong one is not known. */
const duelOf = (
  problem: string,
  previous: readonly string[],
  right: string,
  wrong: string,
  error: string,
  words: string,
  proof: Proof,
): Duel => ({
  problem,
  steps: [...previous, right],
  spoiled: {
    steps: [...previous, wrong],
    wrong_index: previous.length,
    operator: error,
    provably_wrong: true,
    why: `${words}, shown by ${proof}`,
  },
})

/** Success, validity and diversity. Shares in [0, 1]. */
function figuresOf(
  llm: string,
  all: readonly Attempt[],
  duels: readonly JudgedDuel[],
  policy: SoftmaxPolicy,
): Record<string, unknown> {
  const count = (kind: Attempt['kind']) => all.filter(one => one.kind === kind).length
  const answered = all.length - count('failed')
  const share = (part: number, whole: number) => (whole === 0 ? null : round(part / whole))
  const proofs = Object.groupBy(
    all.flatMap(({ proof }) => proof ?? []),
    proof => proof,
  )
  return {
    llm,
    attempts: all.length,
    failed: count('failed'),
    unreadable: count('unreadable'),
    unchanged: count('unchanged'),
    unproven: count('unproven'),
    validity: share(count('proven'), answered),
    proofs: Object.fromEntries(Object.entries(proofs).map(([proof, of]) => [proof, of.length])),
    sneaky_success: share(duels.filter(d => d.fooled).length, duels.length),
    by_error: Object.fromEntries(
      [...new Set(duels.map(({ spoiled }) => spoiled.operator))].flatMap(name => {
        const own = duels.filter(({ spoiled }) => spoiled.operator === name)
        return own.length === 0
          ? []
          : [[name, { duels: own.length, success: share(own.filter(d => d.fooled).length, own.length) }]]
      }),
    ),
    distinct_pairs: distinctPairs(duels.map(({ spoiled }) => spoiled.steps[spoiled.wrong_index]!)),
    policy_entropy: round(entropyOf(policy.weights)),
  }
}

/** Share of word pairs that are different ones (distinct-2, Li et al. 2016); null without any. */
function distinctPairs(steps: readonly string[]): number | null {
  const pairs = steps.flatMap(step => {
    const words = step.toLowerCase().split(/\s+/)
    return words.slice(1).map((word, i) => `${words[i]} ${word}`)
  })
  return pairs.length === 0 ? null : round(new Set(pairs).size / pairs.length)
}
