// Reads a GGUF file: its metadata and its tensors. Knows no architecture. Format: ggml/docs/gguf.md, versions 2 and 3.
import { sizeOf } from '../engine/memory.ts'
import { type Cursor, createCursor, openBytes } from './bytes.ts'
import { dequantise, type Format, GGML_FORMATS, storedBytes } from './dequantise.ts'
import type { TensorFile } from './tensors.ts'

type GgufValue = number | string | boolean | readonly GgufValue[]

export interface GgufFile extends TensorFile {
  readonly metadata: ReadonlyMap<string, GgufValue>
}

/** Names of formats there is no decoder for (ggml.h, enum ggml_type). */
const OTHER_FORMATS: Readonly<Record<number, string>> = {
  9: 'q8_1',
  10: 'q2_K',
  11: 'q3_K',
  15: 'q8_K',
  16: 'iq2_xxs',
  17: 'iq2_xs',
  18: 'iq3_xxs',
  19: 'iq1_s',
  20: 'iq4_nl',
  21: 'iq3_s',
  22: 'iq2_s',
  23: 'iq4_xs',
  29: 'iq1_m',
  34: 'tq1_0',
  35: 'tq2_0',
  39: 'mxfp4',
}

const ARRAY = 9
/** Readers by value type (enum gguf_metadata_value_type). */
const SCALARS: Readonly<Record<number, (c: Cursor) => GgufValue>> = {
  0: c => c.u8(),
  1: c => c.i8(),
  2: c => c.u16(),
  3: c => c.i16(),
  4: c => c.u32(),
  5: c => c.i32(),
  6: c => c.f32(),
  7: c => c.u8() !== 0,
  8: c => c.text(),
  10: c => c.u64(),
  11: c => c.i64(),
  12: c => c.f64(),
}

interface Entry {
  /** Row-major: the last is the fastest. */
  readonly shape: readonly number[]
  readonly type: number
  /** From the start of the data. */
  readonly offset: number
}

/** Opens a file and reads its header. @throws Error naming the file when it is no GGUF file of these versions, truncated or corrupt. */
export function openGguf(path: string): GgufFile {
  const source = openBytes(path)
  const fail = (what: string): Error => new Error(`${source.name} ${what}`)
  try {
    const c = createCursor(source)
    if (source.size < 24 || c.u32() !== 0x46554747) throw fail('is not a GGUF file')
    const version = c.u32()
    if (version === 0x02000000 || version === 0x03000000) throw fail('is a big-endian GGUF file')
    if (version !== 2 && version !== 3) throw fail(`is GGUF version ${version}; versions 2 and 3 can be read`)
    const [tensors, pairs] = [c.u64(), c.u64()]
    const count = (n: number, bytesEach: number, of: string): number => {
      if (n * bytesEach > source.size) throw fail(`is corrupt: it states ${n} ${of}`)
      return n
    }

    const value = (type: number): GgufValue => {
      if (type === ARRAY) {
        const [inner, n] = [c.u32(), c.u64()]
        return Array.from({ length: count(n, 1, 'entries of an array') }, () => value(inner))
      }
      const read = SCALARS[type]
      if (!read) throw fail(`is corrupt: there is no metadata type ${type}`)
      return read(c)
    }
    const metadata = new Map<string, GgufValue>()
    for (let i = count(pairs, 12, 'metadata pairs'); i > 0; i--) metadata.set(c.text(), value(c.u32()))

    const entries = new Map<string, Entry>()
    for (let i = count(tensors, 24, 'tensors'); i > 0; i--) {
      const name = c.text()
      const rank = c.u32()
      if (rank > 4) throw fail(`is corrupt: tensor ${name} has ${rank} dimensions`)
      const dims = Array.from({ length: rank }, () => c.u64())
      entries.set(name, { shape: dims.reverse(), type: c.u32(), offset: c.u64() })
    }
    const stated = metadata.get('general.alignment') ?? 32
    const alignment = typeof stated === 'number' && stated > 0 ? stated : 32
    const data = Math.ceil(c.offset / alignment) * alignment

    const formatOf = (name: string, type: number): Format => {
      const format = GGML_FORMATS[type]
      if (format) return format
      const known = Object.values(GGML_FORMATS).map(f => f.name)
      throw fail(
        `stores ${name} as ${OTHER_FORMATS[type] ?? `type ${type}`}, which cannot be read (${known.join(', ')} can)`,
      )
    }
    return {
      name: source.name,
      metadata,
      shapes: new Map([...entries].map(([name, { shape }]) => [name, shape])),
      read(name) {
        const entry = entries.get(name)
        if (!entry) throw fail(`has no tensor ${name}`)
        const format = formatOf(name, entry.type)
        const size = sizeOf(entry.shape)
        if ((entry.shape.at(-1) ?? 1) % format.block !== 0)
          throw fail(`is corrupt: rows of ${name} are no whole ${format.name} blocks`)
        return dequantise(format, source.read(data + entry.offset, storedBytes(format, size)))
      },
      close: () => source.close(),
    }
  } catch (error) {
    source.close()
    throw error
  }
}
