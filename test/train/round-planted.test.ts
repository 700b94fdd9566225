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
import { decide } from '../../src/train/round/gate.ts'
import { type Measured, measure } from '../../src/train/round/measure.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const shipped = openArtifact(SHIPPED_CRITIC)
/** Short solutions of both sources, one of each problem, so that the test stays short. */
const slice = ['human', 'construction'].flatMap(wanted => {
  const short = readJsonl<Example>(join(SHIPPED_CRITIC, SLICE_FILE)).filter(
    ({ source, steps }) => source === wanted && steps.length <= 4,
  )
  return [...new Map(short.map(example => [example.problem, example])).values()].slice(0, 36)
})
const yardsticks = { slice, traffic: [], sneaky: [] }
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
