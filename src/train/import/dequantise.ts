// Stored numbers to float32: half precisions, and the block formats of ggml (ggml-quants.c, ggml-common.h). Knows no file.

/** A storage format: `block` numbers take `bytes` bytes. */
export interface Format {
  readonly name: string
  readonly block: number
  readonly bytes: number
  /** Writes the numbers of one block, read at `at`, to `out` from `to` on. */
  readonly decode: (view: DataView, at: number, out: Float32Array, to: number) => void
}

const halfTable = new Float32Array(1 << 16)
for (let bits = 0; bits < 1 << 16; bits++) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15)
  halfTable[bits] = bits >> 15 ? -size : size
}

/** IEEE 754 binary16 at `at`. */
const half = (view: DataView, at: number): number => halfTable[view.getUint16(at, true)]!

const scratch = new DataView(new ArrayBuffer(4))

export const f32: Format = {
  name: 'f32',
  block: 1,
  bytes: 4,
  decode: (view, at, out, to) => {
    out[to] = view.getFloat32(at, true)
  },
}

export const f16: Format = {
  name: 'f16',
  block: 1,
  bytes: 2,
  decode: (view, at, out, to) => {
    out[to] = half(view, at)
  },
}

/** The upper half of a float32. */
export const bf16: Format = {
  name: 'bf16',
  block: 1,
  bytes: 2,
  decode: (view, at, out, to) => {
    scratch.setUint32(0, view.getUint16(at, true) << 16)
    out[to] = scratch.getFloat32(0)
  },
}

/** 32 signed bytes times a scale. */
const q8_0: Format = {
  name: 'q8_0',
  block: 32,
  bytes: 34,
  decode: (view, at, out, to) => {
    const d = half(view, at)
    for (let i = 0; i < 32; i++) out[to + i] = d * view.getInt8(at + 2 + i)
  },
}

/** q4 and q5: 16 bytes of nibbles, low ones first, an optional fifth bit each, times a scale, plus an offset or a minimum. */
function nibbles(name: string, { fifth, minimum }: { fifth: boolean; minimum: boolean }): Format {
  const high = minimum ? 4 : 2 // where the fifth bits are
  const low = high + (fifth ? 4 : 0)
  const centre = minimum ? 0 : fifth ? 16 : 8
  return {
    name,
    block: 32,
    bytes: low + 16,
    decode: (view, at, out, to) => {
      const d = half(view, at)
      const m = minimum ? half(view, at + 2) : 0
      const bits = fifth ? view.getUint32(at + high, true) : 0
      for (let i = 0; i < 16; i++) {
        const byte = view.getUint8(at + low + i)
        const first = (byte & 15) | (((bits >>> i) & 1) << 4)
        const second = (byte >> 4) | (((bits >>> (i + 16)) & 1) << 4)
        out[to + i] = d * (first - centre) + m
        out[to + i + 16] = d * (second - centre) + m
      }
    },
  }
}

/** Scale and minimum `j` of 8, six bits each, packed into 12 bytes (get_scale_min_k4). */
function scaleAndMinimum(view: DataView, at: number, j: number): [number, number] {
  const byte = (i: number) => view.getUint8(at + i)
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63]
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)]
}

/** q4_K and q5_K: 8 groups of 32 with a six-bit scale and minimum each; q5_K adds a fifth bit, bit `group` of 32 bytes. */
function superBlocks(name: string, fifth: boolean): Format {
  const low = fifth ? 48 : 16
  return {
    name,
    block: 256,
    bytes: low + 128,
    decode: (view, at, out, to) => {
      const [d, dmin] = [half(view, at), half(view, at + 2)]
      for (let group = 0; group < 8; group++) {
        const [scale, minimum] = scaleAndMinimum(view, at + 4, group)
        const [step, offset] = [d * scale, dmin * minimum]
        for (let i = 0; i < 32; i++) {
          const byte = view.getUint8(at + low + (group >> 1) * 32 + i)
          const bit = fifth ? (view.getUint8(at + 16 + i) >> group) & 1 : 0
          out[to + group * 32 + i] = step * ((group & 1 ? byte >> 4 : byte & 15) | (bit << 4)) - offset
        }
      }
    },
  }
}

/** Six bits: four in 128 bytes, two in 64 bytes; 16 groups of 16 with a signed byte as scale. */
const q6_K: Format = {
  name: 'q6_K',
  block: 256,
  bytes: 210,
  decode: (view, at, out, to) => {
    const d = half(view, at + 208)
    for (let i = 0; i < 256; i++) {
      const [side, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31]
      const lowByte = view.getUint8(at + side * 64 + (quarter & 1) * 32 + l)
      const low = quarter < 2 ? lowByte & 15 : lowByte >> 4
      const high = (view.getUint8(at + 128 + side * 32 + l) >> (2 * quarter)) & 3
      const scale = view.getInt8(at + 192 + (i >> 4))
      out[to + i] = d * scale * ((low | (high << 4)) - 32)
    }
  },
}

/** Formats by their number in a GGUF file (ggml.h, enum ggml_type). */
export const GGML_FORMATS: Readonly<Record<number, Format>> = {
  0: f32,
  1: f16,
  2: nibbles('q4_0', { fifth: false, minimum: false }),
  3: nibbles('q4_1', { fifth: false, minimum: true }),
  6: nibbles('q5_0', { fifth: true, minimum: false }),
  7: nibbles('q5_1', { fifth: true, minimum: true }),
  8: q8_0,
  12: superBlocks('q4_K', false),
  13: superBlocks('q5_K', true),
  14: q6_K,
  30: bf16,
}

/** Bytes that `count` numbers take; `count` is a multiple of the block. */
export const storedBytes = ({ block, bytes }: Format, count: number): number => (count / block) * bytes

/** Decodes whole blocks. */
export function dequantise({ block, bytes, decode }: Format, stored: Uint8Array): Float32Array {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  const out = new Float32Array((stored.byteLength / bytes) * block)
  for (let at = 0, to = 0; at < stored.byteLength; at += bytes, to += block) decode(view, at, out, to)
  return out
}
