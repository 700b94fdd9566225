// The scorer: the served score is the model's on the encoded item, whatever else is scored with it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { encodeItem } from '../../src/critic/encode.ts'
import { FEATURE_INPUTS, FEATURES, writeFeatureInputs } from '../../src/critic/features.ts'
import { openArtifact, writeArtifact } from '../../src/critic/manifest.ts'
import { openScorer, type Scorer } from '../../src/critic/scorer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'
import { AppError } from '../../src/errors.ts'
import { eagerEngine } from '../../src/train/engine/eager.ts'
import type { HostTensor } from '../../src/train/engine/port.ts'
import { exportCritic, readWeights } from '../../src/train/export.ts'
import { stepLogits } from '../../src/train/model/head.ts'
import { trunk } from '../../src/train/model/trunk.ts'
import {
  TINY_MODEL,
  tempFolder,
  tinyTokenizer,
  writeTinyBase,
  writeTinyCritic,
} from '../fakes/tiny-critic.ts'
import { float32, int32, weightFeeds } from '../train/engine/tiny-model.ts'

const folder = tempFolder()
const dir = join(folder.path, 'critic')
let scorer: Scorer

before(async () => {
  await writeTinyCritic(dir)
  scorer = await openScorer(dir)
})
after(async () => {
  await scorer.release()
  folder.remove()
})

const ITEMS: readonly CritiqueItem[] = [
  { problem: 'Tom has 12 apples and eats 5.', steps: ['12 - 5 = 7.', 'The answer is 7.'] },
  { problem: 'How many?', steps: ['One.'] },
  {
    problem: 'She sold 48 clips.',
    steps: ['48 / 2 = 25 clips', '48 + 25 = 73', 'So 73.', 'The answer is \\boxed{73}.'],
  },
  {
    problem: 'A long one',
    steps: Array.from({ length: 40 }, (_, i) => `Then ${i} + ${i} = ${2 * i} clips in May.`),
  },
  { problem: 'Nothing to score', steps: [] },
]
const scoresOf = async (items: readonly CritiqueItem[], by = scorer) =>
  (await by.judge(items)).map(critique => critique.steps.map(step => step.score))

test('every step of every item gets a probability, in order', async () => {
  const scores = await scoresOf(ITEMS)
  assert.deepEqual(
    scores.map(s => s.length),
    ITEMS.map(item => item.steps.length),
  )
  for (const score of scores.flat()) assert.ok(score !== null && score > 0 && score < 1)
  assert.ok(new Set(scores.flat()).size > 40, 'scores differ')
  const turned = await scoresOf(ITEMS.toReversed())
  assertSame(turned.toReversed(), scores)
})

function assertSame(got: readonly (number | null)[][], want: readonly (number | null)[][]): void {
  got.forEach((scores, i) => {
    scores.forEach((score, k) => {
      assert.ok(Math.abs(score! - want[i]![k]!) <= 1e-5, `item ${i} step ${k}: ${score} for ${want[i]![k]}`)
    })
  })
}

test('an item scores the same alone and in any batch', async () => {
  const alone = (await Promise.all(ITEMS.map(item => scoresOf([item])))).flat()
  assertSame(await scoresOf(ITEMS), alone)
  for (const runTokens of [1, 150, 100_000]) {
    const other = await openScorer(dir, { runTokens })
    assertSame(await scoresOf(ITEMS, other), alone)
    await other.release()
  }
})

test('a score does not change when later steps are added', async () => {
  const { problem, steps } = ITEMS[2]!
  const [whole] = await scoresOf([{ problem, steps }])
  for (let n = 1; n < steps.length; n++) {
    assertSame(await scoresOf([{ problem, steps: steps.slice(0, n) }]), [whole!.slice(0, n)])
  }
})

test('the served score is the calibrated logit of the eager model on the encoded item', async () => {
  const item = ITEMS[2]!
  const { rows, features } = encodeItem(tinyTokenizer, item, 128)
  const row = rows[0]!
  const grid = [1, row.tokens.length]
  const inputs = new Float32Array(row.steps.length * FEATURE_INPUTS)
  for (const [i, values] of features.entries()) writeFeatureInputs(values, inputs, i * FEATURE_INPUTS)
  const weights = weightFeeds(TINY_MODEL, readWeights(TINY_MODEL, readFileSync(join(dir, 'model.onnx'))))
  const feeds: Record<string, HostTensor> = {
    ...weights,
    tokens: int32(grid, i => row.tokens[i]!),
    slots: int32(grid, i => row.slots[i]!),
    flags: int32(grid, i => row.flags[i]!),
    positions: float32(grid, i => i),
    step_index: int32([row.steps.length], i => row.steps[i]!.at),
    features: { data: inputs, shape: [row.steps.length, FEATURE_INPUTS] },
  }
  const specs = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' } as const,
    ]),
  )
  const program = await eagerEngine().compile(x => {
    const { tokens, slots, flags, positions } = x as Record<'tokens' | 'slots' | 'flags' | 'positions', never>
    const { hidden } = trunk(TINY_MODEL, x, { tokens, slots, flags, positions, keyPositions: positions })
    return { logits: stepLogits(x, { hidden, stepIndex: x['step_index']!, features: x['features']! }) }
  }, specs)
  const { logits } = await program.run(feeds)
  const [served] = await scorer.logits([item])
  const { a, b } = scorer.artifact.manifest.reading!.calibration
  const [critique] = await scorer.judge([item])
  logits!.data.forEach((want, i) => {
    assert.ok(Math.abs(served![i]! - want) < 1e-4, `step ${i}: ${served![i]} for ${want}`)
    assert.ok(Math.abs(critique!.steps[i]!.score! - 1 / (1 + Math.exp(-(a * want + b)))) < 1e-4)
  })
  assert.equal(critique!.tokens, row.tokens.length)
})

test('findings come with the step they belong to', async () => {
  const [critique] = await scorer.judge([ITEMS[2]!])
  assert.deepEqual(critique!.steps[0]!.evidence, [
    { kind: 'equation', text: '48 / 2 = 25', holds: false, detail: 'the left side is 24, the right side 25' },
  ])
  assert.deepEqual(critique!.steps[2]!.evidence, [])
})

test('an item longer than the window is scored whole, each window paid for', async () => {
  const [critique] = await scorer.judge([ITEMS[3]!])
  assert.ok(critique!.steps.every(step => step.score !== null))
  assert.ok(critique!.tokens > 40 * 15)
})

test('a logit that is no number is unscored, not zero', async () => {
  const broken = join(folder.path, 'nan')
  await writeTinyCritic(broken)
  const weights = readWeights(TINY_MODEL, readFileSync(join(broken, 'model.onnx')))
  weights['head.out_bias']![0] = Number.NaN
  const { files: _, format: __, ...facts } = openArtifact(broken).manifest
  const model = await exportCritic(TINY_MODEL, weights)
  writeArtifact(
    broken,
    { 'model.onnx': model, 'tokenizer.json': readFileSync(join(broken, 'tokenizer.json')) },
    facts,
  )
  const unscored = await openScorer(broken)
  assert.deepEqual(await scoresOf([ITEMS[0]!], unscored), [[null, null]])
  await unscored.release()
})

/** A copy of the tiny critic with other files or facts, and right hashes. */
async function variant(
  name: string,
  change: { files?: Record<string, string>; facts?: Record<string, unknown> },
): Promise<string> {
  const path = join(folder.path, name)
  await writeTinyCritic(path)
  const { files: _, format: __, ...facts } = openArtifact(path).manifest
  const read = (file: string) => readFileSync(join(path, file))
  writeArtifact(
    path,
    { 'model.onnx': read('model.onnx'), 'tokenizer.json': read('tokenizer.json'), ...change.files },
    { ...facts, ...change.facts },
  )
  return path
}

const REFUSED: Readonly<Record<string, () => Promise<string>>> = {
  'a base': async () => {
    await writeTinyBase(join(folder.path, 'base'))
    return join(folder.path, 'base')
  },
  'other hand features': () => variant('features', { facts: { features: [...FEATURES, 'one more'] } }),
  'a tokenizer that is not JSON': () => variant('text', { files: { 'tokenizer.json': 'text' } }),
  'a tokenizer that is none': () => variant('empty', { files: { 'tokenizer.json': '{}' } }),
  'fewer tokens than its tokenizer knows': () =>
    variant('vocab', { facts: { model: { ...TINY_MODEL, vocab: 270 } } }),
  'fewer flags than the reader sets': () =>
    variant('flags', { facts: { model: { ...TINY_MODEL, flags: 3 } } }),
}
for (const [name, make] of Object.entries(REFUSED)) {
  test(`a folder with ${name} is not opened as a critic`, async () => {
    const path = await make()
    await assert.rejects(
      openScorer(path),
      (error: unknown) => error instanceof AppError && error.code === 'CRITIC_INVALID',
    )
  })
}
