// The monitors: what a round and live traffic say becomes metrics, and every metric of the shipped alert rules is exported.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Critic } from '../src/critic/types.ts'
import { createMetrics } from '../src/metrics.ts'
import { startMonitor } from '../src/monitor.ts'
import { EMPTY_TALLY, tallyFigures } from '../src/rollout/tally.ts'
import { GAUGES, type Reading, roundReadings, trialReadings } from '../src/round-metrics.ts'
import { openSqliteStore } from '../src/store/sqlite.ts'
import { aRecord, NOW } from './store/samples.ts'

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

test('every metric that an alert rule names is one that Spar exports, with that label', async () => {
  const { text } = await createMetrics(GAUGES).render()
  const exported = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
      (type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']).map(end => [`${name}${end}`, type]),
    ),
  )
  const { groups } = parse(readFileSync(new URL('../ops/alerts.yaml', import.meta.url), 'utf8')) as Rules
  const rules = groups.flatMap(group => group.rules)
  assert.ok(rules.length >= 10)
  for (const { alert, expr } of rules) {
    const names = expr.match(/spar_\w+/g) ?? []
    assert.ok(names.length > 0, alert)
    for (const name of names) assert.ok(exported.has(name), `${alert} names ${name}`)
    for (const [, name, label] of expr.matchAll(/(spar_\w+)\{(\w+)/g))
      if (Object.hasOwn(GAUGES, name!)) assert.equal(GAUGES[name as keyof typeof GAUGES].label, label, alert)
  }
})

test('what an alert rule counts the rise of is there from the start, or the first would go unseen', async () => {
  const { text } = await createMetrics(GAUGES).render()
  const { groups } = parse(readFileSync(new URL('../ops/alerts.yaml', import.meta.url), 'utf8')) as Rules
  const exprs = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
  const counted = exprs.flatMap(expr =>
    [...expr.matchAll(/increase\((\S+\})\[/g)].map(([, series]) => series!),
  )
  assert.equal(counted.length, 2)
  for (const series of counted) assert.ok(text.includes(`\n${series} 0\n`), series)
})

test('a round tells success by kind of error, entropy, diversity, calibration and agreement of labels', async () => {
  const figures = {
    play: {
      by_operator: { a: { duels: 10, success: 0.4 }, b: { duels: 10, success: 0.1 } },
      policy_entropy: 2.1,
    },
    serving: { ece: 0.02 },
    candidate: { ece: 0.03 },
    admitted: { label_agreement: 0.7, inverted_clients: 1 },
  }
  const metrics = createMetrics(GAUGES)
  for (const reading of roundReadings(figures)) metrics.gauge(reading)
  metrics.roundEnded('promoted')
  const lines = (await metrics.render()).text.split('\n')
  for (const line of [
    'spar_round_sneaky_success{operator="a"} 0.4',
    'spar_round_generator_entropy 2.1',
    'spar_round_generator_diversity 1',
    'spar_round_ece{critic="candidate"} 0.03',
    'spar_round_label_agreement 0.7',
    'spar_round_inverted_clients 1',
    'spar_rounds_total{decision="promoted"} 1',
  ])
    assert.ok(lines.includes(line), line)
})

test('a report that lacks everything, or holds nonsense, tells nothing', () => {
  for (const figures of [
    {},
    { play: null, admitted: 'x', serving: { ece: 'high' } },
    { play: { by_operator: { a: 1 } } },
  ])
    assert.deepEqual(roundReadings(figures), [])
  assert.deepEqual(trialReadings(tallyFigures(EMPTY_TALLY)), [])
})

test('a critic that changes its mind on fixed items shows, on whichever server; feedback is held against it', async t => {
  const store = openSqliteStore(':memory:')
  let score = 0.5
  const critic: Critic = {
    version: 'critic@0.1.0',
    threshold: 0.5,
    judge: async items =>
      items.map(({ steps }) => ({ steps: steps.map(() => ({ score, evidence: [] })), tokens: 1 })),
  }
  await store.appendTraffic([aRecord('a', { candidates: [{ steps: ['x'], scores: [0.9], answer: null }] })])
  await store.addFeedback([{ id: 'a', at: NOW, answer_correct: false }])
  const told: Reading[] = []
  const look = () =>
    startMonitor({
      store,
      critic: () => critic,
      gauge: reading => void told.push(reading),
      now: () => NOW + 1,
      log: { warn: (_, message) => assert.fail(message), info: () => {} },
    })()
  await look()
  score = 0.4
  await look() // another server, the same store
  t.after(() => store.close())
  const drifts = told.filter(({ name }) => name === 'spar_canary_score_drift').map(({ value }) => value)
  assert.equal(drifts[0], 0)
  assert.ok(Math.abs(drifts[1]! - 0.1) < 1e-12)
  const { value } = told.find(({ name }) => name === 'spar_calibration_brier')!
  assert.ok(Math.abs(value - 0.81) < 1e-12)
})
