// The recipe on a frozen base, from an imported checkpoint and labelled solutions to a critic that the service can open.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readArguments } from '../../../src/cli/options.ts'
import { trainCommand } from '../../../src/cli/train.ts'
import { openArtifact } from '../../../src/critic/manifest.ts'
import { openScorer } from '../../../src/critic/scorer.ts'
import { isHeldBack } from '../../../src/train/data/corpora.ts'
import { labelsFromFirstError } from '../../../src/train/data/example.ts'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import { auc, labelledSteps } from '../../../src/train/eval/metrics.ts'
import { readWeights } from '../../../src/train/export.ts'
import { importBase } from '../../../src/train/import/import-base.ts'
import { type FrozenContext, trainFrozenCritic } from '../../../src/train/recipe/frozen-critic.ts'
import { createRng } from '../../../src/train/rng.ts'
import { rewriteManifest, tempFolder } from '../../fakes/tiny-critic.ts'
import { tinyLlama, writeHuggingFace } from '../../fakes/tiny-llama.ts'
import { toyExample } from '../fit/toys.ts'

const folder = tempFolder()
after(() => folder.remove())
const at = (name: string): string => join(folder.path, name)
const createdAt = '2026-01-01T00:00:00.000Z'

const rng = createRng('frozen')
const solutions = Array.from({ length: 150 }, (_, i) => {
  const { problem, steps } = toyExample(rng, i % 2 === 0)
  return {
    problem: `${i}: ${problem}`,
    steps: [...steps, 'So much for that.'],
    label: i % 2 === 0 ? -1 : 0,
    generator: 'g',
  }
})
mkdirSync(at('data'))
writeJsonl(join(at('data'), 'mrben_train.jsonl.gz'), solutions)
const held = solutions.filter(({ problem }) => isHeldBack(problem))
writeHuggingFace(at('llama'), tinyLlama({ layers: 3 }))
await importBase({
  ...{ from: at('llama'), out: at('base'), version: 'tiny', command: 'test', createdAt },
  print: { write: () => {} },
})

async function train(out: string, change: Partial<FrozenContext> = {}) {
  const lines: string[] = []
  const manifest = await trainFrozenCritic({
    ...{
      dataDir: at('data'),
      baseDir: at('base'),
      out: at(out),
      version: `tiny/${out}`,
      statesDir: at('states'),
    },
    ...{ seed: 1, featureSteps: 30, readTokens: 100_000, layers: 2 },
    ...{ engine: tracedEngine({ threads: 1 }), now: () => 0, command: 'test', createdAt },
    print: { write: text => lines.push(text) },
    ...change,
  })
  return { manifest, told: lines.join('') }
}

test('a critic of the base’s first layers comes out, with what it cost; the base’s weights stay', async () => {
  const { manifest, told } = await train('first')
  assert.equal(manifest.model.layers, 2)
  assert.equal(manifest.parent, 'base/tiny')
  const read = manifest.metrics['read'] as Record<string, number>
  assert.equal(read['solutions'], solutions.length)
  assert.ok(read['tokens']! > 0 && told.includes(`of ${read['tokens']} tokens`))
  assert.equal(manifest.metrics['slice_solutions'], held.length)
  assert.match(told, /held-back step AUC [\d.]+ at penalty \d+ and share [\d.]+/)

  const weightsIn = (dir: string) =>
    readWeights(openArtifact(dir).manifest.model, readFileSync(join(dir, 'model.onnx')))
  const [source, trained] = [weightsIn(at('base')), weightsIn(at('first'))]
  for (const name of ['embed', 'layers.0.q', 'layers.1.down'])
    assert.deepEqual(trained[name], source[name], name)
  const { share } = manifest.metrics['text'] as Record<string, number>
  assert.equal(trained['head.text_out']![0], Math.fround(2 * share!))

  const scorer = await openScorer(at('first'), { threads: 1 })
  const [one, other] = await scorer.judge([solutions[0]!, { ...solutions[0]!, problem: 'Another text.' }])
  const slice = held.map(({ problem, steps, label }) => ({
    problem,
    steps,
    labels: labelsFromFirstError(steps.length, label),
  }))
  const reached = auc(labelledSteps(slice, await scorer.logits(slice)))
  await scorer.release()
  const said = manifest.metrics['slice_step_auc'] as number
  assert.ok(Math.abs(said - reached) < 2e-3, `the manifest says ${said}, the artifact reaches ${reached}`)
  assert.ok(one!.steps.every(({ score }) => score! > 0 && score! < 1))
  assert.notEqual(one!.steps[0]!.score, other!.steps[0]!.score, 'the text has a say')
})

test('the same states make the same critic without being read again; other layers are read into a file of their own', async () => {
  const { manifest: before } = await train('again-a')
  const { manifest, told } = await train('again-b')
  assert.doesNotMatch(told, /^read /m)
  assert.equal(manifest.files['model.onnx'], before.files['model.onnx'])
  const files = readdirSync(at('states')).length
  assert.match((await train('thin', { layers: 1 })).told, /^read /m)
  assert.equal(readdirSync(at('states')).length, files + 1)
})

test('the feature path of another critic is taken as it is, and one of other features is refused', async () => {
  await train('own')
  const { told } = await train('taken', { featuresFrom: at('own') })
  assert.doesNotMatch(told, /^features /m)
  const path = (dir: string) =>
    Object.entries(
      readWeights(openArtifact(dir).manifest.model, readFileSync(join(dir, 'model.onnx'))),
    ).filter(([name]) => name.startsWith('head.features') || name === 'head.out_bias')
  assert.deepEqual(path(at('taken')), path(at('own')))
  rewriteManifest(at('own'), { features: ['chars 0 1'] })
  await assert.rejects(train('refused', { featuresFrom: at('own') }), /reads other features/)
})

test('a stop while reading leaves no artifact and loses no states', async () => {
  const stop = new AbortController()
  const print = {
    write: (text: string) => {
      if (text.startsWith('read ')) stop.abort(new Error('stopped here'))
    },
  }
  const statesDir = at('stopped-states')
  await assert.rejects(
    train('stopped', { statesDir, print, controls: { signal: stop.signal } }),
    /stopped here/,
  )
  assert.throws(() => openArtifact(at('stopped')), /no readable manifest/)
  const { manifest, told } = await train('resumed', { statesDir })
  const all = (manifest.metrics['read'] as Record<string, number>)['tokens']!
  const [, left] = /^read \d+ of (\d+) tokens/m.exec(told)!
  assert.ok(Number(left) < all, `${left} of ${all}`)
})

for (const other of ['lora', 'minutes', 'checkpoint'])
  test(`--freeze with --${other} is refused rather than half obeyed`, async () => {
    const args = [
      '--freeze',
      `--${other}`,
      '8',
      '--data',
      at('data'),
      '--base',
      at('base'),
      '--out',
      at('no'),
    ]
    const run = trainCommand('critic', readArguments(args).values, 'test')
    await assert.rejects(run, new RegExp(`--${other} does not go with --freeze`))
  })
