// The manifest of a model artifact: what is in the folder, how its scores are read, where it comes from. Knows no session.
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../errors.ts'

/** Sizes of the model, as in train/model/config.ts. */
export interface ModelShape {
  readonly vocab: number
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly mlp: number
  readonly ropeTheta: number
  readonly slots: number
  readonly flags: number
  readonly features: number
  readonly headWidth: number
  readonly headDim?: number
  readonly normEpsilon?: number
  readonly qkvBias?: boolean
  readonly untied?: boolean
}

/** P = sigmoid(a · logit + b) (Platt 1999). */
export interface Calibration {
  readonly kind: 'platt'
  readonly a: number
  readonly b: number
}

/** How a critic's logits become scores and verdicts. */
export interface Reading {
  readonly calibration: Calibration
  /** τ in [0, 1]. */
  readonly threshold: number
  /** Expected calibration error on held-back data, in [0, 1]. */
  readonly ece: number
}

/** A solution and the score that each of its steps must get, about. */
export interface Canary {
  readonly problem: string
  readonly steps: readonly string[]
  /** In [0, 1], one for each step. */
  readonly scores: readonly number[]
}

export interface Manifest {
  readonly format: 1
  readonly kind: 'critic' | 'base'
  readonly version: string
  readonly created_at: string
  /** Version it was trained from: a base for the first critic, a critic afterwards. */
  readonly parent: string | null
  /** File name -> sha256. */
  readonly files: Readonly<Record<string, string>>
  readonly opset: number
  readonly model: ModelShape
  /** Longest row the model was trained on, in tokens. */
  readonly max_length: number
  /** Names of the hand features, in order. */
  readonly features: readonly string[]
  /** Critics only. */
  readonly reading?: Reading
  /** Critics only; older ones have none. */
  readonly canaries?: readonly Canary[]
  /** Figures it was accepted with. */
  readonly metrics: Readonly<Record<string, unknown>>
  readonly data_hash: string
  readonly seed: number
  /** Command that made it. */
  readonly command: string
}

const MANIFEST = 'manifest.json'
/** Files every artifact has, and whose hashes its manifest must hold. */
const FILES = ['model.onnx', 'tokenizer.json']
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** A folder whose manifest and hashes were checked. */
export interface Artifact {
  readonly dir: string
  readonly manifest: Manifest
}

const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)
/** A larger size than this is a mistake or an attack on the memory: nothing that is served comes near. */
const MAX_SIZE = 2 ** 24
/** A manifest of more bytes is not read: every folder's is, at every look for critics. */
const MAX_MANIFEST_BYTES = 2 ** 20
const MAX_CANARIES = 64
/** Tokens; what a row costs grows with its square. */
const MAX_WINDOW = 2 ** 15
const isSize = (x: unknown): boolean => Number.isInteger(x) && (x as number) >= 0 && (x as number) <= MAX_SIZE
const isScore = (x: unknown): boolean => typeof x === 'number' && x >= 0 && x <= 1
/** Stands in log lines and answers. */
const isVersion = (x: unknown): x is string => typeof x === 'string' && /^[^\s\p{C}]{1,200}$/u.test(x)
const isAbsentOr = (type: 'boolean' | 'number', x: unknown): boolean => x === undefined || typeof x === type

const SIZES = [
  'vocab',
  'width',
  'layers',
  'heads',
  'kvHeads',
  'mlp',
  'slots',
  'flags',
  'features',
  'headWidth',
] as const satisfies readonly (keyof ModelShape)[]

function isReading(x: unknown): boolean {
  if (!isRecord(x) || !isRecord(x['calibration'])) return false
  const { a, b, kind } = x['calibration']
  return kind === 'platt' && [a, b, x['threshold'], x['ece']].every(Number.isFinite)
}

function isCanary(x: unknown): boolean {
  if (!isRecord(x) || typeof x['problem'] !== 'string') return false
  const { steps, scores } = x
  if (!Array.isArray(steps) || !Array.isArray(scores) || steps.length !== scores.length) return false
  return steps.every(step => typeof step === 'string') && scores.every(isScore)
}

const areCanaries = (x: unknown): boolean =>
  x === undefined || (Array.isArray(x) && x.length <= MAX_CANARIES && x.every(isCanary))

/** Whether everything that loading relies on is there and of its type. */
function isManifest(x: unknown): x is Manifest {
  if (!isRecord(x) || x['format'] !== 1 || !isVersion(x['version'])) return false
  const { kind, files, model, features, reading } = x
  if (kind !== 'base' && !(kind === 'critic' && isReading(reading))) return false
  if (!areCanaries(x['canaries'])) return false
  if (!isRecord(files) || !FILES.every(name => typeof files[name] === 'string')) return false
  if (!isRecord(model) || !SIZES.every(name => isSize(model[name]))) return false
  if (!['headDim', 'normEpsilon'].every(name => isAbsentOr('number', model[name]))) return false
  if (!['qkvBias', 'untied'].every(name => isAbsentOr('boolean', model[name]))) return false
  const isWindow = isSize(x['max_length']) && (x['max_length'] as number) <= MAX_WINDOW
  return isWindow && Array.isArray(features) && features.every(f => typeof f === 'string')
}

/** Reads the manifest only; null when the folder has no valid one (then it does not exist as an artifact). */
export function readManifest(dir: string): Manifest | null {
  try {
    const path = join(dir, MANIFEST)
    if (statSync(path).size > MAX_MANIFEST_BYTES) return null
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isManifest(manifest) ? manifest : null
  } catch {
    return null
  }
}

/** Checks manifest and every file's hash. @throws {AppError} CRITIC_INVALID naming what is wrong. */
export function openArtifact(dir: string): Artifact {
  const manifest = readManifest(dir)
  if (manifest === null) throw new AppError('CRITIC_INVALID', `${dir} has no readable manifest of format 1`)
  for (const [file, wanted] of Object.entries(manifest.files)) {
    if (!/^[\w.-]+$/.test(file))
      throw new AppError(
        'CRITIC_INVALID',
        `the manifest of ${manifest.version} names a file outside its folder`,
      )
    let bytes: Uint8Array
    try {
      bytes = readFileSync(join(dir, file))
    } catch (cause) {
      throw new AppError('CRITIC_INVALID', `${manifest.version} lacks its file ${file}`, { cause })
    }
    if (sha256(bytes) !== wanted)
      throw new AppError('CRITIC_INVALID', `${file} of ${manifest.version} does not match its hash`)
  }
  return { dir, manifest }
}

/** Writes files into an existing folder, then the manifest, last and by rename: a folder half written is no artifact. */
export function writeArtifact(
  dir: string,
  files: Readonly<Record<string, Uint8Array | string>>,
  facts: Omit<Manifest, 'format' | 'files'>,
): Manifest {
  const hashes: Record<string, string> = {}
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    writeFileSync(join(dir, name), bytes)
    hashes[name] = sha256(bytes)
  }
  const manifest: Manifest = { format: 1, ...facts, files: hashes }
  const draft = join(dir, `${MANIFEST}.tmp`)
  writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`)
  renameSync(draft, join(dir, MANIFEST))
  return manifest
}
