// How a round tells of itself: figures add up, percent never falls, learning is told of about once a second.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReporter } from '../../src/train/round/report.ts'

test('figures add up, stages are timed, percent never falls', () => {
  let time = 0
  const told: unknown[] = []
  const reporter = createReporter(
    (stage, percent, figures) => told.push([stage, percent, figures]),
    () => time,
  )
  reporter.enter('collect', 5, { seed: 1 })
  time = 2000
  reporter.add({ traffic: 3 })
  reporter.enter('learn', 3)
  time = 5500
  assert.equal(reporter.elapsedMs(), 5500)
  const figures = { seed: 1, traffic: 3, seconds: { collect: 2 } }
  assert.deepEqual(told, [
    ['collect', 5, { seed: 1, seconds: {} }],
    ['collect', 5, { seed: 1, traffic: 3, seconds: {} }],
    ['learn', 5, figures],
  ])
  assert.deepEqual(reporter.finish(), { ...figures, seconds: { collect: 2, learn: 3.5, total: 5.5 } })
})

test('a round that goes on tells of no stage twice, and its time counts', () => {
  let time = 0
  const first = createReporter(
    () => {},
    () => time,
  )
  first.enter('collect', 0, { seed: 1 })
  time = 1000
  first.enter('learn', 20)
  time = 4000
  const kept = JSON.parse(JSON.stringify(first.progress()))
  time = 9000 // nobody works
  const told: unknown[] = []
  const second = createReporter(
    (stage, percent) => told.push([stage, percent]),
    () => time,
    kept,
  )
  second.enter('collect', 0)
  second.enter('learn', 20)
  assert.deepEqual([told, second.elapsedMs()], [[], 4000])
  time = 10_000
  second.enter('gate', 98)
  assert.deepEqual(told, [['gate', 98]])
  assert.deepEqual(second.finish(), { seed: 1, seconds: { collect: 1, learn: 4, gate: 0, total: 5 } })
})

test('ticks are told of about once a second, and none of their figures is lost', () => {
  let time = 0
  const told: [number, unknown][] = []
  const reporter = createReporter(
    (_, percent, figures) => told.push([percent, figures['step']]),
    () => time,
  )
  reporter.enter('learn', 20)
  for (let step = 1; step <= 25; step++) {
    time += 100
    reporter.tick(20 + step, { step })
  }
  assert.deepEqual(told, [
    [20, undefined],
    [30, 10],
    [40, 20],
  ])
  assert.equal(reporter.finish()['step'], 25)
})
