// Reads safetensors, one file or several behind an index. Knows no architecture.
// Format: github.com/huggingface/safetensors, "Format": u64 header length, JSON header, data.
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sizeOf } from '../engine/memory.ts'
import { type ByteSource, createCursor, openBytes } from './bytes.ts'
import { bf16, dequantise, type Format, f16, f32, storedBytes } from './dequantise.ts'
import type { TensorFile } from './tensors.ts'

const FORMATS: Readonly<Record<string, Format>> = { F32: f32, F16: f16, BF16: bf16 }
/** The format's own limit on a header. */
const MAX_HEADER = 100_000_000

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly from: number
  readonly to: number
}

const isCounts = (x: unknown): x is number[] =>
  Array.isArray(x) && x.every(n => Number.isSafeInteger(n) && n >= 0)

function readHeader(source: ByteSource): { entries: Map<string, Entry>; data: number } {
  const corrupt = (what: string): Error => new Error(`${source.name} is truncated or corrupt: ${what}`)
  const length = createCursor(source).u64()
  if (length > MAX_HEADER || length + 8 > source.size) throw corrupt(`it states a header of ${length} bytes`)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, length)))
  } catch {
    throw corrupt('its header is not JSON')
  }
  if (typeof header !== 'object' || header === null) throw corrupt('its header is not an object')
  const entries = new Map<string, Entry>()
  for (const [name, entry] of Object.entries(header) as [string, Record<string, unknown> | null][]) {
    if (name === '__metadata__') continue
    const { dtype, shape, data_offsets: offsets } = entry ?? {}
    if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      throw corrupt(`its header does not describe ${name}`)
    entries.set(name, { dtype, shape, from: offsets[0]!, to: offsets[1]! })
  }
  return { entries, data: 8 + length }
}

function openOne(path: string): TensorFile {
  const source = openBytes(path)
  try {
    const { entries, data } = readHeader(source)
    return {
      name: source.name,
      shapes: new Map([...entries].map(([name, { shape }]) => [name, shape])),
      read(name) {
        const entry = entries.get(name)
        if (!entry) throw new Error(`${source.name} has no tensor ${name}`)
        const { dtype, shape, from, to } = entry
        const format = FORMATS[dtype]
        if (!format)
          throw new Error(
            `${source.name} stores ${name} as ${dtype}, which cannot be read (${Object.keys(FORMATS).join(', ')} can)`,
          )
        const wanted = storedBytes(format, sizeOf(shape))
        if (to - from !== wanted)
          throw new Error(`${source.name} is corrupt: ${name} has ${to - from} bytes, expected ${wanted}`)
        return dequantise(format, source.read(data + from, wanted))
      },
      close: () => source.close(),
    }
  } catch (error) {
    source.close()
    throw error
  }
}

/** Opens a `.safetensors` file, or all files of a `.safetensors.index.json`. @throws Error naming the file that is missing, truncated or corrupt. */
export function openSafetensors(path: string): TensorFile {
  if (!path.endsWith('.json')) return openOne(path)
  const { weight_map: map } = JSON.parse(readFileSync(path, 'utf8')) as { weight_map?: unknown }
  if (typeof map !== 'object' || map === null) throw new Error(`${basename(path)} has no weight_map`)
  const fileOf = map as Readonly<Record<string, string>>
  const files = new Map<string, TensorFile>()
  const close = () => {
    for (const file of files.values()) file.close()
  }
  try {
    const shapes = new Map<string, readonly number[]>()
    for (const [name, fileName] of Object.entries(fileOf)) {
      if (basename(fileName) !== fileName)
        throw new Error(`${basename(path)} names a file outside its folder: ${fileName}`)
      const file = files.get(fileName) ?? openOne(join(dirname(path), fileName))
      files.set(fileName, file)
      const shape = file.shapes.get(name)
      if (!shape)
        throw new Error(`${fileName} lacks the tensor ${name}, which ${basename(path)} places there`)
      shapes.set(name, shape)
    }
    return {
      name: basename(path),
      shapes,
      read(name) {
        const file = files.get(fileOf[name] ?? '')
        if (!file) throw new Error(`${basename(path)} has no tensor ${name}`)
        return file.read(name)
      },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}
