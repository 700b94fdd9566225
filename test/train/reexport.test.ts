// Exporting a critic again: an old graph's weights in the new one, with the same scores and all other files as they were.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import { AppError } from '../../src/errors.ts'
import { reexport } from '../../src/train/reexport.ts'
import { writeOldCritic } from '../fakes/old-critic.ts'
import { tempFolder, writeTinyBase } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())
const at = (name: string) => join(folder.path, name)
const item = { problem: 'Tom has 12 apples and eats 5.', steps: ['12 - 5 = 7.', 'The answer is 7.'] }

/** Logits, twice, and the tokens that the cache knew at the second time. */
async function scored(dir: string) {
  const scorer = await openScorer(dir, { prefixCacheBytes: 1e6 })
  const first = await scorer.logits([item])
  let known = 0
  for (const rows of scorer.plan(scorer.prepare(item).jobs, 1000)) {
    await scorer.run(rows)
    for (const row of rows) known += row.past
  }
  await scorer.release()
  return { logits: first[0]!, known }
}

test('an old critic gets the graph with a past in place, and stays the critic it was', async () => {
  await writeOldCritic(at('old'), { version: 'tiny@1.0.0', seed: 3 })
  const before = openArtifact(at('old')).manifest
  const old = await scored(at('old'))
  assert.equal(old.known, 0)
  const { manifest, items, widest } = await reexport(at('old'), at('old'))
  assert.ok(items > 0 && widest <= 1e-5)
  const now = openArtifact(at('old')).manifest
  assert.deepEqual(now, manifest)
  const { int8: _, ...metrics } = now.metrics
  assert.deepEqual({ ...now, metrics, files: 0 }, { ...before, files: 0 })
  assert.equal(now.files['tokenizer.json'], before.files['tokenizer.json'])
  assert.notEqual(now.files['model.onnx'], before.files['model.onnx'])
  const fresh = await scored(at('old'))
  assert.ok(fresh.known > 0)
  for (const [i, logit] of fresh.logits.entries()) assert.ok(Math.abs(logit! - old.logits[i]!) <= 1e-5)
})

test('exporting to another folder leaves the first one alone', async () => {
  await writeOldCritic(at('from'))
  const model = readFileSync(at('from/model.onnx'))
  await reexport(at('from'), at('to'))
  assert.deepEqual(readFileSync(at('from/model.onnx')), model)
  assert.ok((await scored(at('to'))).known > 0)
})

test('a base, and a critic that lacks a weight, are refused and nothing is written', async () => {
  await writeTinyBase(at('base'))
  await writeOldCritic(at('cut'))
  const { files: _, format: __, ...facts } = openArtifact(at('cut')).manifest
  const read = (file: string) => readFileSync(at(`cut/${file}`))
  writeArtifact(
    at('cut'),
    { 'model.onnx': readFileSync(at('base/model.onnx')), 'tokenizer.json': read('tokenizer.json') },
    facts,
  )
  for (const from of ['base', 'cut'])
    await assert.rejects(
      reexport(at(from), at('none')),
      (error: unknown) => error instanceof AppError && error.code === 'CRITIC_INVALID',
    )
  assert.ok(!existsSync(at('none')))
})
