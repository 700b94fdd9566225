// The port that every evaluated critic stands behind: solutions in, a score per step out. Knows no metric and no data format.
import type { Scorer } from '../../critic/scorer.ts'
import type { CritiqueItem } from '../../critic/types.ts'

/** One score in [0, 1] per step, higher = more likely right; null where the critic gave none. */
export type StepScores = readonly (number | null)[]

/** Anything that scores steps: a model, a service, a rule of thumb. */
export interface StepJudge {
  /** The critic's version, or what a baseline looks at. */
  readonly name: string
  /** Its own τ in [0, 1]: a step is right when its score is at least this. Null when it has none. */
  readonly threshold: number | null
  /** Whether its scores are meant as P(step is right), so that calibration can be asked of them. */
  readonly isProbability: boolean
  /** Scores in the order of `items`, one list of `steps.length` scores each. The same items always get the same scores. */
  judge(items: readonly CritiqueItem[], signal?: AbortSignal): Promise<StepScores[]>
}

/** Items between which an abort is heard. */
const CHUNK = 256

/** A critic's artifact as a judge; its scores are calibrated, its threshold is that of its manifest. */
export function scorerJudge(scorer: Pick<Scorer, 'artifact' | 'judge'>): StepJudge {
  const { version, reading } = scorer.artifact.manifest
  return {
    name: version,
    threshold: reading?.threshold ?? null,
    isProbability: true,
    async judge(items, signal) {
      const all: StepScores[] = []
      for (let from = 0; from < items.length; from += CHUNK) {
        signal?.throwIfAborted()
        const critiques = await scorer.judge(items.slice(from, from + CHUNK))
        all.push(...critiques.map(({ steps }) => steps.map(({ score }) => score)))
      }
      return all
    },
  }
}
