// A run on disk: one file with weights, moments and where the run stands, written so that a kill leaves the old file or the new one.
// Knows no loop.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from '../engine/memory.ts'
import type { HostTensor } from '../engine/port.ts'
import { replaceFile } from '../replace-file.ts'

/** Where a run stands after a step. */
export interface RunState {
  /** Steps taken. */
  readonly step: number
  readonly elapsedMs: number
  /** Padded tokens trained on. */
  readonly tokens: number
  /** Hash of what the sampler drew: its place is found by drawing again, and the hash tells whether it drew the same. */
  readonly drawn: number
}

export interface Checkpoint extends RunState {
  /** What the run was started with; has to be the same to go on. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Weights `w:` and moments `m:`, `v:` of what is trained, float32. */
  readonly tensors: Readonly<Record<string, HostTensor>>
}

/** Where checkpoints of one run go. */
export interface CheckpointStore {
  /** Milliseconds between saves. */
  readonly everyMs: number
  save(checkpoint: Checkpoint): void
  /** What to go on from; null for a new run. */
  load(): Checkpoint | null
}

const FILE = 'run.checkpoint'
const MAGIC = 'spar checkpoint 1\n'
const HASH_BYTES = 32

const bytesOf = ({ data }: HostTensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Writes one file: magic, length of the header (8 hex digits), header (JSON), arrays, SHA-256 of all before. */
function write(dir: string, { tensors, ...rest }: Checkpoint): void {
  mkdirSync(dir, { recursive: true })
  const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, shape])
  const header = Buffer.from(JSON.stringify({ ...rest, shapes }))
  const length = Buffer.from(header.length.toString(16).padStart(8, '0'))
  const parts = [Buffer.from(MAGIC), length, header, ...Object.values(tensors).map(bytesOf)]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  replaceFile(join(dir, FILE), [...parts, hash.digest()], 0o666)
}

/** Reads a file back. @throws when there is none, when it is of another kind, or when it is torn or changed. */
function read(dir: string): Checkpoint {
  const path = join(dir, FILE)
  if (!existsSync(path)) throw new Error(`there is no checkpoint in ${dir}`)
  const bytes = readFileSync(path)
  if (bytes.subarray(0, MAGIC.length).toString() !== MAGIC)
    throw new Error(`${path} is no checkpoint of Spar`)
  const end = bytes.length - HASH_BYTES
  const digest = createHash('sha256')
    .update(bytes.subarray(0, Math.max(0, end)))
    .digest()
  if (end < MAGIC.length + 8 || !digest.equals(bytes.subarray(end)))
    throw new Error(`${path} is torn or was changed: its hash does not fit`)
  const start = MAGIC.length + 8
  const length = Number.parseInt(bytes.subarray(MAGIC.length, start).toString(), 16)
  const { shapes, ...rest } = JSON.parse(bytes.subarray(start, start + length).toString()) as Omit<
    Checkpoint,
    'tensors'
  > & { shapes: [string, number[]][] }
  let at = start + length
  const tensors = shapes.map(([name, shape]) => {
    const data = new Float32Array(sizeOf(shape))
    new Uint8Array(data.buffer).set(bytes.subarray(at, at + data.byteLength)) // a copy, aligned to 4 bytes
    at += data.byteLength
    return [name, { data, shape }] as const
  })
  return { ...rest, tensors: Object.fromEntries(tensors) }
}

/**
 * Opens the checkpoints of a run in a folder. @throws when `resume` is asked for and there is no good one, or when a new run would
 * overwrite one.
 */
export function openCheckpoints(dir: string, everyMs: number, resume: boolean): CheckpointStore {
  if (!resume && existsSync(join(dir, FILE)))
    throw new Error(
      `${dir} holds the checkpoint of a run: go on with --resume ${dir}, or choose another folder`,
    )
  const loaded = resume ? read(dir) : null
  return { everyMs, save: checkpoint => write(dir, checkpoint), load: () => loaded }
}

/** The checkpoints of a part of a greater run: it goes on from a good one, and begins where there is none. */
export function keptCheckpoints(dir: string, everyMs: number): CheckpointStore {
  return {
    everyMs,
    save: checkpoint => write(dir, checkpoint),
    load() {
      try {
        return read(dir)
      } catch {
        return null
      }
    },
  }
}

/** A checkpoint is of another run than the one that would go on from it. */
export class ForeignCheckpoint extends Error {}

/** @throws {ForeignCheckpoint} naming the first setting in which a checkpoint differs from the run that wants to go on from it. */
export function checkSettings(saved: Checkpoint['settings'], own: Checkpoint['settings']): void {
  for (const key of new Set([...Object.keys(saved), ...Object.keys(own)])) {
    const [was, is] = [JSON.stringify(saved[key]), JSON.stringify(own[key])]
    if (was !== is)
      throw new ForeignCheckpoint(
        `the checkpoint is of another run: its ${key} is ${shorten(was)}, this run's ${shorten(is)}`,
      )
  }
}

const shorten = (text = 'missing'): string => (text.length > 80 ? `${text.slice(0, 77)}…` : text)
