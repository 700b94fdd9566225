// Asks a critic within a span that shows where its time went. Knows neither routes nor critics.
import type { Critic, Critique, CritiqueItem, Timing } from '../critic/types.ts'
import { addStages, inSpan } from '../tracing.ts'

/** As `critic.judge`. The stages are drawn one after the other, though waiting may come in between. @throws {AppError} as that */
export function askCritic(
  critic: Critic,
  items: readonly CritiqueItem[],
  signal?: AbortSignal,
  onTiming?: (timing: Timing) => void,
): Promise<Critique[]> {
  const facts = { 'spar.critic': critic.version, 'spar.items': items.length }
  return inSpan('critic', facts, async span => {
    const startedAt = performance.now()
    let stages: Timing | undefined
    const critiques = await critic.judge(items, signal, timing => {
      stages = timing
      onTiming?.(timing)
    })
    // Not where the times are told: that is outside of any span, where a worker's message comes in.
    if (stages !== undefined) {
      const { queue, tokenise, infer } = stages
      addStages(startedAt, [
        ['critic queue', queue],
        ['critic tokenise', tokenise],
        ['critic infer', infer],
      ])
    }
    const steps = critiques.flatMap(critique => critique.steps)
    span.add({
      'spar.steps': steps.length,
      'spar.steps.unscored': steps.filter(({ score }) => score === null).length,
    })
    return critiques
  })
}
