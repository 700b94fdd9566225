// Real artifacts of toy size: a vocabulary learned from a few sentences and random weights, exported as the trained ones are.
// What they say means nothing; everything around it (files, hashes, sessions, workers, caches) is as in production.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CANARY_ITEMS, toCanaries } from '../../src/critic/canary.ts'
import { FEATURE_INPUTS, FEATURES } from '../../src/critic/features.ts'
import { type Manifest, writeArtifact } from '../../src/critic/manifest.ts'
import { FLAGS, SLOTS } from '../../src/critic/parts.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import { createTokenizer, EOS, SPECIAL_TOKENS, STEP } from '../../src/critic/tokenizer.ts'
import { trainTokenizer } from '../../src/train/bpe.ts'
import { OPSET } from '../../src/train/engine/graph.ts'
import { exportCritic, exportSampler } from '../../src/train/export.ts'
import { type ModelConfig, type Weights, weightShapes } from '../../src/train/model/config.ts'
import { createRng } from '../../src/train/rng.ts'

const SENTENCES = [
  'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.',
  'How many clips did Natalia sell altogether in April and May?',
  'She sold 48 / 2 = 24 clips in May. Altogether she sold 48 + 24 = 72 clips.',
  'So the answer is 72. The answer is \\boxed{72}.',
]

export interface TinyOptions {
  readonly version?: string
  readonly parent?: string | null
  readonly seed?: number
  /** Tokens in the model's window. */
  readonly maxLength?: number
  readonly created_at?: string
  /** A base that, at a low temperature, never ends its solution. */
  readonly endless?: boolean
}

const tokenizerJson = trainTokenizer(SENTENCES, 290)

/** The tokenizer of the tiny artifacts. */
export const tinyTokenizer = createTokenizer(tokenizerJson)

/** The model of the tiny artifacts: two layers, 16 wide, every input channel of a real one. */
export const TINY_MODEL: ModelConfig = {
  vocab: tinyTokenizer.vocab,
  width: 16,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  mlp: 24,
  ropeTheta: 10_000,
  slots: SLOTS,
  flags: FLAGS,
  features: FEATURE_INPUTS,
  headWidth: 8,
}

/** Random weights under which every input matters. As a language model it ends a step about every ten tokens. */
function tinyWeights({ seed = 1, endless = false }: TinyOptions): Weights {
  const rng = createRng(`tiny ${seed}`)
  const weights: Weights = {}
  for (const [name, shape] of Object.entries(weightShapes(TINY_MODEL))) {
    const size = shape.reduce((a, b) => a * b, 1)
    const centre = name.endsWith('norm') ? 1 : 0
    weights[name] = Float32Array.from({ length: size }, () => centre + 0.25 * rng.normal())
  }
  // All tokens share the first direction, so that the hidden state keeps it: what lies further along it is drawn more often.
  const along = (token: number): number => {
    if (token === STEP) return 4.5
    if (token === EOS) return endless ? 0 : 3.2
    const byte = token - SPECIAL_TOKENS.length
    return byte < 256 && (byte < 32 || byte > 126) ? -2 : 1
  }
  const embed = weights['embed']!
  for (let token = 0; token < TINY_MODEL.vocab; token++) embed[token * TINY_MODEL.width] = along(token)
  return weights
}

const facts = ({
  version,
  parent = null,
  seed = 1,
  maxLength = 128,
  created_at = '2026-01-01T00:00:00.000Z',
}: TinyOptions) => ({
  version: version ?? 'tiny@0.0.0',
  created_at,
  parent,
  opset: OPSET,
  model: TINY_MODEL,
  max_length: maxLength,
  features: FEATURES,
  metrics: {},
  data_hash: '0'.repeat(64),
  seed,
  command: 'test/fakes/tiny-critic.ts',
})

/** Writes a critic into `dir` (made when missing). Another seed is another critic with other scores. */
export async function writeTinyCritic(dir: string, options: TinyOptions = {}): Promise<Manifest> {
  mkdirSync(dir, { recursive: true })
  const model = await exportCritic(TINY_MODEL, tinyWeights(options))
  return writeArtifact(
    dir,
    { 'model.onnx': model, 'tokenizer.json': JSON.stringify(tokenizerJson) },
    {
      ...facts(options),
      kind: 'critic',
      reading: { calibration: { kind: 'platt', a: 1.2, b: 0.3 }, threshold: 0.5, ece: 0.1 },
    },
  )
}

/** Scores the canaries with the critic in `dir` and writes them into its manifest, as training does. */
export async function addCanaries(dir: string): Promise<Manifest> {
  const scorer = await openScorer(dir, { threads: 1 })
  const critiques = await scorer.judge(CANARY_ITEMS)
  await scorer.release()
  const canaries = toCanaries(critiques.map(({ steps }) => steps.map(({ score }) => score)))
  return rewriteManifest(dir, { canaries })
}

/** Changes fields of the manifest in `dir`, hashes made anew: the artifact is whole, whatever it says. */
export function rewriteManifest(dir: string, change: Partial<Manifest>): Manifest {
  const {
    files,
    format: _,
    ...facts
  } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as Manifest
  const contents = Object.fromEntries(Object.keys(files).map(name => [name, readFileSync(join(dir, name))]))
  return writeArtifact(dir, contents, { ...facts, ...change })
}

/** Writes a base for the built-in solver into `dir` (made when missing). Its texts are noise. */
export async function writeTinyBase(dir: string, options: TinyOptions = {}): Promise<Manifest> {
  mkdirSync(dir, { recursive: true })
  const model = await exportSampler(TINY_MODEL, tinyWeights(options))
  return writeArtifact(
    dir,
    { 'model.onnx': model, 'tokenizer.json': JSON.stringify(tokenizerJson) },
    { ...facts(options), kind: 'base' },
  )
}

/** A fresh folder under the system's temporary one, and a function that removes it. */
export function tempFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'spar-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
