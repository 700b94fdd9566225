// Worse critics planted on purpose, as real artifacts of the shipped one: each is refused by the real measurements with the reason.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SHIPPED_CRITIC } from '../../src/cli/options.ts'
import { type Calibration, openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { openScorer, type Scorer } from '../../src/critic/scorer.ts'
import type { Critique, CritiqueItem } from '../../src/critic/types.ts'
import type { Example } from '../../src/train/data/example.ts'
import { readJsonl } from '../../src/train/data/jsonl.ts'
import { SLICE_FILE } from '../../src/train/recipe/reading.ts'
import { createRng } from '../../src/train/rng.ts'
import { compareCost, compareLatency } from '../../src/train/round/cost.ts'
import { setTraps } from '../../src/train/round/frozen-traps.ts'
import { decide } from '../../src/train/round/gate.ts'
import { type Measured, measure } from '../../src/train/round/measure.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'
import { SNEAKY_OPERATORS, type SneakyOperator } from '../../src/train/sneaky/types.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const shipped = openArtifact(SHIPPED_CRITIC)
/** A generator that prefers one kind of error by far. */
const specialist = (operator: SneakyOperator) => ({
  ...createPolicy(),
  weights: SNEAKY_OPERATORS.map(name => (name === operator ? 12 : 0)),
})
/** Frozen generators: each knows one kind of error. */
const generators = (['near_miss', 'digit_slip', 'copied_number'] as const).map(operator => ({
  name: `generator of ${operator}`,
  player: specialist(operator),
}))
/** Short solutions of both sources, one of each problem, so that the test stays short. */
const slice = ['human', 'construction'].flatMap(wanted => {
  const short = readJsonl<Example>(join(SHIPPED_CRITIC, SLICE_FILE)).filter(
    ({ source, steps }) => source === wanted && steps.length <= 4,
  )
  return [...new Map(short.map(example => [example.problem, example])).values()].slice(0, 36)
})
const yardsticks = { slice, traffic: [], sneaky: [], frozen: [] }
const withTraps = {
  ...yardsticks,
  slice: slice.slice(0, 8),
  frozen: setTraps(generators, createRng('traps'), 0.1),
}
let serving: Scorer
let before_: Measured

before(async () => {
  serving = await openScorer(SHIPPED_CRITIC, { threads: 1 })
  before_ = await measure(serving, yardsticks)
})
after(async () => {
  await serving.release()
  folder.remove()
})

/** The shipped critic with another calibration, as an artifact of its own. */
async function plant(name: string, change: (calibration: Calibration) => Calibration): Promise<Scorer> {
  const dir = join(folder.path, name)
  mkdirSync(dir)
  const { format: _, files, ...facts } = shipped.manifest
  const contents = Object.fromEntries(
    Object.keys(files).map(file => [file, readFileSync(join(shipped.dir, file))]),
  )
  const reading = { ...facts.reading!, calibration: change(facts.reading!.calibration) }
  writeArtifact(dir, contents, { ...facts, version: name, reading })
  return openScorer(dir, { threads: 1 })
}

async function judged(candidate: Scorer) {
  const measured = await measure(candidate, yardsticks)
  return decide(before_, measured, createRng(1), await compareCost(serving, candidate, slice))
}

test('an equal critic passes', async () => {
  const same = await plant('same', calibration => calibration)
  const { decision, reason } = await judged(same)
  assert.equal(decision, 'promoted', reason)
  await same.release()
})

test('a critic that learned flipped labels is refused', async () => {
  const flipped = await plant('flipped', ({ kind, a, b }) => ({ kind, a: -a, b: -b }))
  const { decision, reason } = await judged(flipped)
  assert.equal(decision, 'rejected')
  assert.match(reason, /step AUC on the slice fell by 0\.\d+/)
  await flipped.release()
})

test('a miscalibrated critic is refused though it orders steps as before', async () => {
  const sure = await plant('sure', ({ kind, a, b }) => ({ kind, a: 6 * a, b: b - 2 }))
  const { decision, reason } = await judged(sure)
  assert.equal(decision, 'rejected')
  assert.match(reason, /^The candidate is worse: its calibration error is 0\.\d+ where it was 0\.\d+\.$/)
  await sure.release()
})

/** The serving critic where `holds`, else one that says whatever comes to its mind. */
function knowsOnly(holds: (item: CritiqueItem) => boolean): Scorer {
  const rng = createRng('guesses')
  const guess = (item: CritiqueItem): Critique => ({
    steps: item.steps.map(() => ({ score: 0.5 + 0.5 * rng.uniform(), evidence: [] })),
    tokens: 0,
  })
  return {
    ...serving,
    judge: async items => {
      const found = await serving.judge(items)
      return items.map((item, i) => (holds(item) ? found[i]! : guess(item)))
    },
  }
}

test('a critic that learned one part of the slice only is refused, and the part it lost is named', async () => {
  const known = new Set(slice.filter(({ source }) => source === 'human').map(({ problem }) => problem))
  const oneSided = knowsOnly(({ problem }) => known.has(problem))
  const { decision, reason } = decide(before_, await measure(oneSided, yardsticks), createRng(1))
  assert.equal(decision, 'rejected')
  assert.match(reason, /step AUC on labels by construction fell by 0\.\d+/)
  assert.doesNotMatch(reason, /labels by human/)
})

/** The serving critic, but for wrong steps that this generator made by its kind of error: those it takes for right. */
function forgetful(generator: string, operator: SneakyOperator): Scorer {
  const traps = withTraps.frozen.find(({ name }) => name === generator)!.duels
  const key = ({ problem, steps }: CritiqueItem) => JSON.stringify([problem, steps])
  const forgotten = new Map(
    traps.flatMap(duel =>
      duel?.spoiled.operator === operator
        ? [[key({ problem: duel.problem, steps: duel.spoiled.steps }), duel.spoiled.wrong_index]]
        : [],
    ),
  )
  return {
    ...serving,
    judge: async items =>
      (await serving.judge(items)).map((critique, i) => ({
        ...critique,
        steps: critique.steps.map((step, at) =>
          forgotten.get(key(items[i]!)) === at ? { ...step, score: 0.999 } : step,
        ),
      })),
  }
}

test('a critic that forgot the errors of one frozen generator is refused, and the generator is named', async () => {
  const was = await measure(serving, withTraps)
  const equal = decide(was, was, createRng(1))
  assert.equal(equal.decision, 'promoted', equal.reason)
  const measured = await measure(forgetful('generator of near_miss', 'near_miss'), withTraps)
  const { decision, reason, figures } = decide(was, measured, createRng(1))
  assert.equal(decision, 'rejected')
  assert.match(
    reason,
    /traps of the frozen generator of near_miss fell by [01]\.\d+, which chance does not explain/,
  )
  assert.doesNotMatch(reason, /frozen generator of (digit_slip|copied_number)/)
  const { all, ...each } = figures['frozen'] as Record<string, { difference: number; upper: number }>
  assert.deepEqual(
    Object.keys(each),
    generators.map(({ name }) => name),
  )
  assert.ok(all!.difference < 0 && each['generator of near_miss']!.upper < 0)
  assert.equal(each['generator of copied_number']!.difference, 0)
})

test('a slower critic is refused', async () => {
  const slow: Pick<Scorer, 'judge'> = {
    async judge(items) {
      const found = await serving.judge(items)
      await serving.judge(items)
      await serving.judge(items)
      await serving.judge(items)
      return found
    },
  }
  const latency = await compareLatency(serving, slow, slice.slice(0, 4))
  const { decision, reason } = decide(before_, before_, createRng(1), { latency, memory: 1 })
  assert.equal(decision, 'rejected', `${latency}`)
  assert.match(reason, /^The candidate is worse: it takes \d\.\d times as long\.$/)
})

test('latency is compared in turns: what slows both down does not count', async () => {
  let clock = 0
  const critic = (ms: (call: number) => number) => {
    let call = 0
    return {
      judge: async () => {
        clock += ms(call++)
        return []
      },
    }
  }
  const busy = (call: number) => (call % 3 === 1 ? 1 : 50)
  assert.equal(
    await compareLatency(
      critic(busy),
      critic(call => 2 * busy(call)),
      [],
      () => clock,
    ),
    2,
  )
})
