// Writes GGUF version 3 files for tests and benchmarks, by the format's description and not by the reader's code. Knows no architecture.
// github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { writeFileSync } from 'node:fs'

export type WrittenValue = string | boolean | number | readonly string[] | readonly number[]

export interface WrittenTensor {
  /** Row-major: the last is the fastest. */
  readonly shape: readonly number[]
  /** Number of the format (ggml.h, enum ggml_type). */
  readonly type: number
  readonly bytes: Uint8Array
}

const ALIGNMENT = 32
const FLOATS = /epsilon|freq_base|scale/

/** A buffer that grows, little-endian. */
function createWriter() {
  const parts: Uint8Array[] = []
  let size = 0
  const push = (bytes: Uint8Array) => {
    parts.push(bytes)
    size += bytes.byteLength
  }
  const number = (bytes: number, set: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(bytes))
    set(view)
    push(new Uint8Array(view.buffer))
  }
  const u32 = (x: number) => number(4, view => view.setUint32(0, x, true))
  const i32 = (x: number) => number(4, view => view.setInt32(0, x, true))
  const u64 = (x: number) => number(8, view => view.setBigUint64(0, BigInt(x), true))
  const f32 = (x: number) => number(4, view => view.setFloat32(0, x, true))
  const text = (x: string) => {
    const bytes = new TextEncoder().encode(x)
    u64(bytes.byteLength)
    push(bytes)
  }
  const pad = () => push(new Uint8Array((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT))
  return { u32, i32, u64, f32, text, push, pad, parts, size: () => size }
}

/** Bytes of a file. Whole numbers are u32, arrays of numbers i32; names of epsilons, bases and scales are f32. */
export function ggufBytes(
  metadata: Readonly<Record<string, WrittenValue>>,
  tensors: Readonly<Record<string, WrittenTensor>>,
): Uint8Array[] {
  const w = createWriter()
  w.push(new TextEncoder().encode('GGUF'))
  w.u32(3)
  w.u64(Object.keys(tensors).length)
  w.u64(Object.keys(metadata).length)
  for (const [key, value] of Object.entries(metadata)) {
    w.text(key)
    if (typeof value === 'string') {
      w.u32(8)
      w.text(value)
    } else if (typeof value === 'boolean') {
      w.u32(7)
      w.push(Uint8Array.of(value ? 1 : 0))
    } else if (typeof value === 'number') {
      const isFloat = FLOATS.test(key)
      w.u32(isFloat ? 6 : 4)
      if (isFloat) w.f32(value)
      else w.u32(value)
    } else {
      const isText = typeof value[0] === 'string'
      w.u32(9)
      w.u32(isText ? 8 : 5)
      w.u64(value.length)
      for (const entry of value) {
        if (typeof entry === 'string') w.text(entry)
        else w.i32(entry)
      }
    }
  }
  let offset = 0
  for (const [name, { shape, type, bytes }] of Object.entries(tensors)) {
    w.text(name)
    w.u32(shape.length)
    for (const size of shape.toReversed()) w.u64(size)
    w.u32(type)
    w.u64(offset)
    offset += Math.ceil(bytes.byteLength / ALIGNMENT) * ALIGNMENT
  }
  w.pad()
  for (const { bytes } of Object.values(tensors)) {
    w.push(bytes)
    w.pad()
  }
  return w.parts
}

/** Writes a file. */
export function writeGguf(
  path: string,
  metadata: Readonly<Record<string, WrittenValue>>,
  tensors: Readonly<Record<string, WrittenTensor>>,
): void {
  writeFileSync(path, Buffer.concat(ggufBytes(metadata, tensors)))
}

/** A tensor of float32 numbers. */
export const ggufFloats = (shape: readonly number[], values: Float32Array): WrittenTensor => ({
  shape,
  type: 0,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
})
