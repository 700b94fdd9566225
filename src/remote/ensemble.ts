// Several critics as one: their scores are added up as weighted logits. Knows no critic's kind.
import type { Critic, Critique, CritiqueItem, StepScore, Timing } from '../critic/types.ts'
import { AppError } from '../errors.ts'
import { findEvidence, wordReason } from './judging.ts'

interface Member {
  readonly name: string
  readonly weight: number
  /** Looked up anew for each call. @throws {AppError} UNKNOWN_CRITIC, NOT_READY */
  critic(): Critic
}

export interface EnsembleOptions {
  readonly name: string
  /** τ in [0, 1]. */
  readonly threshold: number
  readonly bias: number
  readonly members: readonly Member[]
}

/** Scores this close to 0 or 1 count as no closer: one member's certainty must not drown the others. */
const CERTAIN = 0.001

/** ln(p / (1 - p)) of a score in [0, 1], which is held within [0.001, 0.999]. */
export function logitOf(score: number): number {
  const p = Math.min(1 - CERTAIN, Math.max(CERTAIN, score))
  return Math.log(p / (1 - p))
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

/**
 * P = sigmoid(bias + Σ weightᵢ · logit(pᵢ)). A member without a score for a step is left out of that step, which says so; the
 * weights of the others are then scaled up to the sum of all.
 */
export function createEnsemble(options: EnsembleOptions): Critic {
  const { name, threshold, members } = options
  return {
    version: name,
    threshold,
    async judge(items, signal, onTiming) {
      signal?.throwIfAborted()
      const startedAt = performance.now()
      const settled = await Promise.allSettled(
        members.map(async member => member.critic().judge(items, signal)),
      )
      signal?.throwIfAborted()
      const total = performance.now() - startedAt
      onTiming?.({ queue: 0, tokenise: 0, infer: total, total } satisfies Timing)
      return items.map((item, i) =>
        combine(
          options,
          item,
          settled.map(one => pick(one, i)),
        ),
      )
    },
  }
}

/** One member on one item: what it found, or why it found nothing. */
type Opinion = Critique | { readonly failed: string }

function pick(settled: PromiseSettledResult<readonly Critique[]>, item: number): Opinion {
  if (settled.status === 'rejected') return { failed: wordReason(settled.reason) }
  return settled.value[item] ?? { failed: wordReason(new AppError('CRITIC_FAILED', 'It skipped an item.')) }
}

function combine(options: EnsembleOptions, item: CritiqueItem, opinions: readonly Opinion[]): Critique {
  const found = opinions.map(opinion => ('failed' in opinion ? null : opinion))
  const evidence = findEvidence(item)
  return {
    tokens: found.reduce((sum, critique) => sum + (critique?.tokens ?? 0), 0),
    steps: item.steps.map((_, step) => {
      const scores = found.map(critique => critique?.steps[step])
      const missing = opinions.map((opinion, m) =>
        'failed' in opinion ? opinion.failed : (scores[m]?.reason ?? 'CRITIC_FAILED: It gave no score.'),
      )
      return { ...weigh(options, scores, missing), evidence: evidence[step]! }
    }),
  }
}

function weigh(
  { bias, members }: EnsembleOptions,
  scores: readonly (StepScore | undefined)[],
  missing: readonly string[],
): Omit<StepScore, 'evidence'> {
  let sum = 0
  let present = 0
  let all = 0
  const absent: string[] = []
  for (const [m, { name, weight }] of members.entries()) {
    const score = scores[m]?.score ?? null
    all += Math.abs(weight)
    if (score === null) absent.push(`${name} (${missing[m]})`)
    else {
      sum += weight * logitOf(score)
      present += Math.abs(weight)
    }
  }
  const rationale = scores.find(score => score?.rationale !== undefined)?.rationale
  const scale = present > 0 ? all / present : 1
  const score = absent.length === members.length ? null : sigmoid(bias + sum * scale)
  return {
    score,
    ...(absent.length > 0 && { reason: `CRITIC_FAILED: Left out: ${absent.join(', ')}` }),
    ...(rationale !== undefined && { rationale }),
  }
}
