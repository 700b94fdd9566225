// A critic that training finishes can show that it is the one that was made: its manifest tells scores that it gives.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CANARY_ITEMS, checkCanaries } from '../../../src/critic/canary.ts'
import type { Manifest } from '../../../src/critic/manifest.ts'
import { openScorer } from '../../../src/critic/scorer.ts'
import { finishCritic } from '../../../src/train/recipe/reading.ts'
import { tempFolder, writeTinyCritic } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

test('a finished critic gives the scores of its canaries, read as it was calibrated', async () => {
  const from = join(folder.path, 'from')
  const out = join(folder.path, 'out')
  mkdirSync(out)
  const { files, format: _, reading: __, metrics: ___, ...facts } = await writeTinyCritic(from)
  const read = (name: string) => readFileSync(join(from, name))
  const contents = Object.fromEntries(Object.keys(files).map(name => [name, read(name)]))
  const slice = Array.from({ length: 12 }, (_, i) => ({
    problem: `What is ${i} + 1?`,
    steps: [`${i} + 1 = ${i + 1 + (i % 2)}`, 'So that is it.'],
    labels: [i % 2 === 0 ? 1 : 0, i % 2 === 0 ? 1 : null],
    source: 'construction' as const,
    imitate: false,
  }))
  const manifest = await finishCritic({ out, files: contents, facts, slice, replay: [] })
  assert.deepEqual(
    manifest.canaries?.map(({ problem, steps }) => ({ problem, steps })),
    CANARY_ITEMS,
  )
  const [first, ...rest] = manifest.canaries!
  /** The manifest with a canary that is off by `by`. */
  const moved = (by: number): Manifest => {
    const scores = first!.scores.map(score => (score > 0.5 ? score - by : score + by))
    return { ...manifest, canaries: [{ ...first!, scores }, ...rest] }
  }
  const plain = await openScorer(out, { threads: 1 })
  await checkCanaries(plain, manifest)
  await assert.rejects(checkCanaries(plain, moved(0.02)), /off by 0\.020, where 0\.01 is allowed/)
  await plain.release()

  // Scores of the int8 graph may be off by as much as one that is kept may move them, and no more.
  const small = await openScorer(out, { threads: 1, precision: 'int8' })
  assert.equal(small.precision, 'int8')
  await checkCanaries(small, manifest)
  await checkCanaries(small, moved(0.02))
  await assert.rejects(checkCanaries(small, moved(0.05)), /where 0\.03 is allowed/)
  await small.release()
})
