// Hidden states of rows on disk, found by what a row holds. A process that is killed leaves whole records and at most a torn one at
// the end, which is cut off. Knows no model and no labels.
import { createHash } from 'node:crypto'
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Row } from '../../critic/encode.ts'

/** A record: key, number of steps, states, check sum over all of these. */
const KEY_BYTES = 32
const COUNT_BYTES = 4
const SUM_BYTES = 8

/** What a row's states depend on beside the model. */
type RowContent = Pick<Row, 'tokens' | 'slots' | 'flags' | 'steps'>

export interface StateFile {
  /** Rows in the file. */
  readonly rows: number
  /** States of the row's steps, in their order; null when the file lacks the row. */
  get(row: RowContent): readonly Float32Array[] | null
  /** Appends a row's states, [steps * width]. A row that is there already is not written again. */
  add(row: RowContent, states: Float32Array): void
  close(): void
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Name of a row by its content. */
function keyOf({ tokens, slots, flags, steps }: RowContent): Buffer {
  const numbers = [tokens.length, ...tokens, ...slots, ...flags, ...steps.map(({ at }) => at)]
  return sha256(new Uint8Array(Int32Array.from(numbers).buffer))
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Whole records from the start of a file, and where they end. */
function readRecords(bytes: Buffer, width: number) {
  const known = new Map<string, readonly Float32Array[]>()
  let end = 0
  while (end + KEY_BYTES + COUNT_BYTES <= bytes.length) {
    const steps = bytes.readUInt32LE(end + KEY_BYTES)
    const from = end + KEY_BYTES + COUNT_BYTES
    const to = from + steps * width * 4
    if (to + SUM_BYTES > bytes.length) break
    const sum = sha256(bytes.subarray(end, to)).subarray(0, SUM_BYTES)
    if (!sum.equals(bytes.subarray(to, to + SUM_BYTES))) break
    const states = new Float32Array(steps * width)
    bytesOf(states).set(bytes.subarray(from, to)) // a copy, aligned to 4 bytes
    known.set(bytes.toString('hex', end, end + KEY_BYTES), split(states, width))
    end = to + SUM_BYTES
  }
  return { known, end }
}

/** Views of `states`, one a step. */
const split = (states: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: states.length / width }, (_, i) => states.subarray(i * width, (i + 1) * width))

/**
 * Opens the states that one model wrote into `path` (made when missing, its folder too); what follows the last whole record is cut off. The file's
 * name has to tell the model: rows are told apart here and models are not. Everything in it is held in memory: steps × width × 4 bytes.
 */
export function openStateFile(path: string, width: number): StateFile {
  mkdirSync(dirname(path), { recursive: true })
  const { known, end } = readRecords(existsSync(path) ? readFileSync(path) : Buffer.alloc(0), width)
  const file = openSync(path, existsSync(path) ? 'r+' : 'w')
  ftruncateSync(file, end)
  let at = end
  return {
    get rows() {
      return known.size
    },
    get: row => known.get(keyOf(row).toString('hex')) ?? null,
    add(row, states) {
      if (states.length !== row.steps.length * width)
        throw new RangeError(`${row.steps.length} steps have ${states.length} numbers of state`)
      const key = keyOf(row)
      if (known.has(key.toString('hex'))) return
      const count = Buffer.alloc(COUNT_BYTES)
      count.writeUInt32LE(row.steps.length)
      const body = Buffer.concat([key, count, bytesOf(states)])
      const record = Buffer.concat([body, sha256(body).subarray(0, SUM_BYTES)])
      for (let done = 0; done < record.length; )
        done += writeSync(file, record, done, record.length - done, at + done)
      at += record.length
      known.set(key.toString('hex'), split(Float32Array.from(states), width))
    },
    close: () => closeSync(file),
  }
}
