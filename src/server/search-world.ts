// Builds the world of one search out of an LLM, a critic and the answer functions. Knows no method and no HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { createAnswerClasses } from '../answer/classes.ts'
import { canonAnswer } from '../answer/equal.ts'
import type { SameAnswer } from '../answer/equivalence.ts'
import { extractAnswer } from '../answer/extract.ts'
import { splitSteps } from '../answer/split.ts'
import type { Critic, StepScore } from '../critic/types.ts'
import { readVerdict } from '../llm/comparison.ts'
import { SpentError } from '../llm/spent.ts'
import type { Llm } from '../llm/types.ts'
import type { World } from '../search/types.ts'
import { askCritic } from './ask-critic.ts'

export interface SearchWorld extends World {
  /** True once a reply came whose tokens the LLM client had to estimate. */
  isEstimated(): boolean
}

/** Longest wait for answers to be compared beyond the wait for the critic. */
const COMPARE_MS = 1000

/** Answers that are the same only where their canonical forms are. */
const sameForm: SameAnswer = async (a, b) => canonAnswer(a) === canonAnswer(b)

/**
 * One world a search: it stays with the `critic` it is given, whatever is promoted meanwhile. Solutions have their answers
 * compared by `same` while the critic judges them, so that equal answers have one canonical form when votes are counted.
 */
export function createSearchWorld(llm: Llm, critic: Critic, same: SameAnswer = sameForm): SearchWorld {
  let estimated = false
  const classes = createAnswerClasses(same)
  /** By the text of a step that an exact check refutes. */
  const findings = new Map<string, string>()
  return {
    async propose(request, signal) {
      try {
        const reply = await llm.propose(request, signal)
        estimated ||= reply.usage.estimated === true
        return reply
      } catch (error) {
        estimated ||= error instanceof SpentError && error.usage.estimated === true
        throw error
      }
    },
    async judge(problem, paths, signal) {
      const answers = paths.flatMap(steps => extractAnswer(steps.join('\n\n')) ?? [])
      const until = performance.now() + COMPARE_MS
      const makeSignal = () =>
        AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, Math.ceil(until - performance.now())))])
      const [judged] = await Promise.all([
        askCritic(
          critic,
          paths.map(steps => ({ problem, steps })),
          signal,
        ),
        classes.learn(answers, makeSignal),
      ])
      for (const [i, { steps }] of judged.entries()) {
        for (const [j, { evidence }] of steps.entries()) {
          const finding = wordFinding(evidence)
          if (finding !== null) findings.set(paths[i]![j]!, finding)
        }
      }
      return {
        scores: judged.map(({ steps }) => steps.map(({ score }) => score)),
        tokens: judged.reduce((sum, { tokens }) => sum + tokens, 0),
      }
    },
    split: text => splitSteps(text).map(step => step.text),
    extract: extractAnswer,
    canon: classes.keyOf,
    finding: step => findings.get(step) ?? null,
    verdict: readVerdict,
    now: () => performance.now(),
    timeout: (ms, signal) => sleep(ms, undefined, { signal }),
    isEstimated: () => estimated,
  }
}

/** What the critic can prove wrong in a step, in words; null where that is nothing. */
function wordFinding(evidence: StepScore['evidence']): string | null {
  const refuted = evidence.filter(({ holds }) => holds === false).map(({ text }) => text)
  return refuted.length === 0 ? null : `${refuted.join('; ')} does not hold.`
}
