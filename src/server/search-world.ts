// Builds the world of one search out of an LLM, a critic and the answer functions. Knows no method and no HTTP.
import { setTimeout as sleep } from 'node:timers/promises'
import { canonAnswer } from '../answer/equal.ts'
import { extractAnswer } from '../answer/extract.ts'
import { splitSteps } from '../answer/split.ts'
import type { Critic, StepScore } from '../critic/types.ts'
import { readVerdict } from '../llm/comparison.ts'
import type { Llm } from '../llm/types.ts'
import type { World } from '../search/types.ts'
import { askCritic } from './ask-critic.ts'

export interface SearchWorld extends World {
  /** True once a reply came whose tokens the LLM client had to estimate. */
  isEstimated(): boolean
}

/** One world a search: it stays with the `critic` it is given, whatever is promoted meanwhile. */
export function createSearchWorld(llm: Llm, critic: Critic): SearchWorld {
  let estimated = false
  /** By the text of a step that an exact check refutes. */
  const findings = new Map<string, string>()
  return {
    async propose(request, signal) {
      const reply = await llm.propose(request, signal)
      estimated ||= reply.usage.estimated === true
      return reply
    },
    async judge(problem, paths, signal) {
      const judged = await askCritic(
        critic,
        paths.map(steps => ({ problem, steps })),
        signal,
      )
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
    canon: canonAnswer,
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
