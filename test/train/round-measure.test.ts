// What is measured of a critic on traffic, whichever aggregation a client takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scorer } from '../../src/critic/scorer.ts'
import type { Critique, CritiqueItem } from '../../src/critic/types.ts'
import { measure } from '../../src/train/round/measure.ts'
import { readOutcomes } from '../../src/train/round/outcomes.ts'
import { logged } from './round-world.ts'

/** A critic that reads the scores off the steps. */
const reader = {
  artifact: { manifest: { version: 'reader', reading: { threshold: 0.5 } } },
  judge: async (items: readonly CritiqueItem[]) =>
    items.map(({ steps }) => ({
      steps: steps.map((step, index) => ({ index, score: step === '' ? null : Number(step) })),
    })) as unknown as Critique[],
} as unknown as Scorer

const solution = (id: string, steps: string[], right: boolean) =>
  logged(id, 'How many?', [{ steps, scores: [], answer: id }], [{ at: 1, answer_correct: right }])

test('solutions are ordered under every aggregation, and the figures are the means', async () => {
  const traffic = readOutcomes([
    solution('a', ['0.9', '0.2'], true), // better than b by mean alone
    solution('b', ['0.5', '0.5'], false),
    solution('c', [''], false), // without a score: not counted
  ])
  const measured = await measure(reader, { slice: [], traffic, sneaky: [], frozen: [] } as never)
  assert.deepEqual(measured.traffic, [0.25])
  assert.deepEqual(measured.chosen, [0.25])
})
