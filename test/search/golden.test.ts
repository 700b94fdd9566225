// Golden trees: whole results of every method on a fixed walk, compared with golden/*.json.
// After a change that is meant to alter them: UPDATE_GOLDEN=1 node --test test/search/golden.test.ts, then read the diff.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { SearchRequest } from '../../src/search/run.ts'
import { createWalkWorld, search } from './world.ts'

type Case = Partial<SearchRequest> & Pick<SearchRequest, 'method'>

const CASES: Record<string, Case> = {
  'best-of-n': { method: 'best_of_n', params: { n: 4 } },
  'weighted-best-of-n': { method: 'weighted_best_of_n', params: { n: 4, aggregation: 'prod' } },
  'self-consistency': { method: 'self_consistency', params: { n: 5, temperature: 1 } },
  pairwise: { method: 'pairwise', seed: 1, params: { n: 4 } },
  'pairwise-budget': { method: 'pairwise', seed: 12, params: { n: 4 }, budget: { maxCalls: 7 } },
  beam: { method: 'beam', params: { n: 4, width: 2 } },
  'beam-lookahead': { method: 'beam', params: { n: 4, width: 2, lookahead: 1, aggregation: 'prod' } },
  'beam-budget': { method: 'beam', params: { n: 4, width: 2 }, budget: { maxCalls: 6 } },
  dvts: { method: 'dvts', params: { n: 5, width: 2, select: 'best' } },
  particle: { method: 'particle', params: { n: 5 } },
  'particle-budget': { method: 'particle', params: { n: 5, aggregation: 'mean' }, budget: { maxTokens: 60 } },
  guard: { method: 'guard', params: { runs: 2, regenerations: 2 } },
  'guard-whole': { method: 'guard', canContinue: false, params: { runs: 2, regenerations: 1 } },
  'guard-budget': { method: 'guard', params: { runs: 2 }, budget: { maxTokens: 40 } },
  revise: { method: 'revise', params: { runs: 2, regenerations: 2 } },
  plan: { method: 'plan', params: { n: 6 } },
  'plan-budget': { method: 'plan', params: { n: 6, select: 'best' }, budget: { maxCalls: 6 } },
  mcts: { method: 'mcts', params: { simulations: 4, width: 2 } },
  'mcts-parallel': { method: 'mcts', params: { simulations: 6, width: 3, parallel: 3, prior: 'critic' } },
  'mcts-rollout': { method: 'mcts', params: { simulations: 4, width: 2, rollout: 0.5 } },
  'mcts-last': { method: 'mcts', params: { simulations: 4, width: 2, aggregation: 'last', select: 'best' } },
  'mcts-budget': { method: 'mcts', params: { simulations: 4, width: 2 }, budget: { maxCalls: 7 } },
  'auto-hard': { method: 'auto', params: { n: 4, width: 2 } },
  'auto-vote': { method: 'auto', canContinue: false, params: { n: 9 } },
}

// Logarithms may differ in the last bits between platforms.
const rounded = (_: string, value: unknown) =>
  typeof value === 'number' ? Number(value.toPrecision(9)) : value

for (const [name, request] of Object.entries(CASES)) {
  test(`golden: ${name}`, async () => {
    const { result } = await search(createWalkWorld({ errorRate: 0.4 }), {
      problem: '6 *7 -12 +5',
      seed: 11,
      ...request,
    })
    const got = `${JSON.stringify({ request, result }, rounded, 1)}\n`
    const file = new URL(`golden/${name}.json`, import.meta.url)
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, got)
    assert.deepEqual(JSON.parse(got), JSON.parse(readFileSync(file, 'utf8')))
  })
}
