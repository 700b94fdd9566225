// A critic that training finishes can show that it is the one that was made: its manifest tells scores that it gives.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { CANARY_ITEMS, checkCanaries } from '../../../src/critic/canary.ts'
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
  const scorer = await openScorer(out, { threads: 1 })
  await checkCanaries(scorer, manifest)
  const [first, ...rest] = manifest.canaries!
  const moved = { ...first!, scores: first!.scores.map(score => (score > 0.5 ? score - 0.02 : score + 0.02)) }
  await assert.rejects(checkCanaries(scorer, { ...manifest, canaries: [moved, ...rest] }), /off by 0\.020/)
  await scorer.release()
})
