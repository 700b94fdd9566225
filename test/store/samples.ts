// Records, jobs and decisions for the store tests; every field can be overridden.
import type { DecisionFacts, Job, TrafficRecord } from '../../src/store/types.ts'

export const NOW = 1_760_000_000_000

export function aRecord(id: string, change: Partial<TrafficRecord> = {}): TrafficRecord {
  return {
    id,
    kind: 'critique',
    at: NOW,
    problem: 'Ann has 3 apples and buys 4 more. How many has she?',
    candidates: [{ steps: ['3 + 4 = 7', 'She has 7.'], scores: [0.9, null], answer: '7' }],
    critic: 'critic@0.1.0',
    ...change,
  }
}

export function aJob(id: string, change: Partial<Job> = {}): Job {
  return {
    id,
    state: 'queued',
    stage: 'queued',
    percent: 0,
    figures: {},
    params: { minutes: 5, tags: [] },
    reason: null,
    created_at: NOW,
    updated_at: NOW,
    ...change,
  }
}

export function aDecision(id: string, change: Partial<DecisionFacts> = {}): DecisionFacts {
  return {
    id,
    at: NOW,
    kind: 'promotion',
    by: 'gate',
    critic: 'critic@0.2.0',
    before: 'critic@0.1.0',
    after: 'critic@0.2.0',
    reason: 'The candidate is not worse.',
    data_hash: 'a'.repeat(64),
    parents: ['critic@0.1.0'],
    figures: { auc: 0.7 },
    ...change,
  }
}
