// The int8 graph: its scores are close to the float32 ones whatever is scored beside them, it is kept only then, and it runs where asked for.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Manifest, openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { choosePrecision, INT8_MODEL } from '../../src/critic/precision.ts'
import { openScorer, type Scorer, type ScorerOptions } from '../../src/critic/scorer.ts'
import { startWorkerCritic } from '../../src/critic/worker-critic.ts'
import { exportCritic, weightsOf } from '../../src/train/export.ts'
import { withInt8 } from '../../src/train/int8.ts'
import { quantiseModel } from '../../src/train/quantise.ts'
import { TINY_MODEL, tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const dir = join(folder.path, 'critic')
const ITEMS = [
  { problem: 'Tom has 12 apples and eats 5.', steps: ['12 - 5 = 7.', 'The answer is 7.'] },
  { problem: 'How many?', steps: ['One.'] },
  { problem: 'She sold 48 clips.', steps: ['48 / 2 = 25 clips', '48 + 25 = 73', 'So 73.'] },
]
const open: Scorer[] = []

async function openTiny(options: ScorerOptions): Promise<Scorer> {
  const scorer = await openScorer(dir, options)
  open.push(scorer)
  return scorer
}

/** Files and facts of the tiny critic. */
function contents(): { files: Record<string, Uint8Array>; facts: Omit<Manifest, 'format' | 'files'> } {
  const { files, format: _, ...facts } = openArtifact(dir).manifest
  const read = (name: string) => [name, new Uint8Array(readFileSync(join(dir, name)))] as const
  return { files: Object.fromEntries(Object.keys(files).map(read)), facts }
}

before(async () => {
  await writeTinyCritic(dir)
  const { files, facts } = contents()
  writeArtifact(dir, { ...files, [INT8_MODEL]: quantiseModel(files['model.onnx']!) }, facts)
})
after(async () => {
  for (const scorer of open) await scorer.release()
  folder.remove()
})

function widest(got: readonly (number | null)[][], want: readonly (number | null)[][]): number {
  return Math.max(...want.flatMap((steps, i) => steps.map((logit, k) => Math.abs(got[i]![k]! - logit!))))
}

test('int8 logits are close to float32 ones and not the same, in a quarter of the memory of the matrices', async () => {
  const [plain, small] = [await openTiny({}), await openTiny({ precision: 'int8' })]
  assert.deepEqual([plain.precision, small.precision], ['float32', 'int8'])
  const distance = widest(await small.logits(ITEMS), await plain.logits(ITEMS))
  assert.ok(distance > 1e-5 && distance < 0.1, `${distance}`)
  const { files } = contents()
  assert.ok(files[INT8_MODEL]!.length < files['model.onnx']!.length)
})

test('an int8 score does not depend on what is scored beside it, nor, but for rounding, on the prefix cache', async () => {
  const small = await openTiny({ precision: 'int8' })
  const alone = await Promise.all(ITEMS.map(async item => (await small.logits([item]))[0]!))
  assert.ok(widest(await small.logits(ITEMS), alone) < 1e-3)
  const cached = await openTiny({ precision: 'int8', prefixCacheBytes: 1e6 })
  for (let i = 0; i < 2; i++) assert.ok(widest(await cached.logits(ITEMS), alone) < 0.02)
})

test('the int8 graph is kept where its scores are close, and says how close', async () => {
  const { files, facts } = contents()
  const { [INT8_MODEL]: _, ...plain } = files
  const { files: all, figures } = await withInt8(plain, facts, ITEMS)
  assert.ok(figures.kept && figures.widest! > 0 && figures.widest! <= 0.02 && figures.mean! <= 0.002)
  assert.deepEqual(all[INT8_MODEL], files[INT8_MODEL])
})

test('canaries are compared too, so that an int8 graph that is kept gives their scores as well', async () => {
  const { files, facts } = contents()
  const canaries = [{ ...ITEMS[0]!, scores: [0.5, 0.5] }]
  const { figures } = await withInt8(files, { ...facts, canaries }, [])
  assert.ok(figures.kept && figures.widest! > 0, JSON.stringify(figures))
})

test('it is left out where the scores move: a matrix whose columns are mostly one large number', async () => {
  const { files, facts } = contents()
  const weights = weightsOf(openArtifact(dir))
  // The first input of these matrices is next to nothing: its weights do nothing but leave no room for the others of their columns.
  for (const [norm, matrices] of [
    ['attn_norm', ['q']],
    ['mlp_norm', ['gate', 'up']],
  ] as const) {
    weights[`layers.0.${norm}`]![0] = 1e-9
    for (const name of matrices) {
      const matrix = weights[`layers.0.${name}`]!
      matrix.fill(1e5, 0, matrix.length / TINY_MODEL.width)
    }
  }
  const text = weights['head.text_out']!
  text.set(text.map(x => 20 * x)) // or the text has little say
  const model = await exportCritic(TINY_MODEL, weights)
  const { files: all, figures } = await withInt8({ ...files, 'model.onnx': model }, facts, ITEMS)
  assert.ok(!figures.kept && figures.widest! > 0.02, JSON.stringify(figures))
  assert.deepEqual(
    Object.keys(all).toSorted(),
    ['model.onnx', 'tokenizer.json'],
    'an older int8 graph goes too',
  )
})

test('int8 runs where it was asked for and can', () => {
  const both = { files: { 'model.onnx': '', [INT8_MODEL]: '' } }
  for (const [choice, manifest, device, fast, want] of [
    ['float32', both, 'cpu', true, 'float32'],
    ['int8', both, 'cpu', false, 'int8'],
    ['auto', both, 'cpu', true, 'int8'],
    ['auto', both, 'cpu', false, 'float32'],
    ['int8', both, 'webgpu', true, 'float32'],
    ['int8', { files: { 'model.onnx': '' } }, 'cpu', true, 'float32'],
  ] as const)
    assert.equal(
      choosePrecision(choice, manifest, device, () => fast),
      want,
      `${choice} ${device} ${fast}`,
    )
})

test('a worker runs the graph it is told to and says which', async () => {
  const worker = await startWorkerCritic(dir, { devices: ['cpu'], threads: 1, precision: 'int8' })
  const small = await openTiny({ precision: 'int8' })
  const [got, want] = [await worker.judge([ITEMS[0]!]), await small.judge([ITEMS[0]!])]
  assert.equal(worker.precision, 'int8')
  assert.deepEqual(got, want)
  await worker.close()
})
