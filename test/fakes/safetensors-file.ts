// Writes safetensors files for tests, by the format's description and not by the reader's code. Knows no architecture.
import { writeFileSync } from 'node:fs'

export interface StoredTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Bytes of a file. */
export function safetensorsBytes(tensors: Readonly<Record<string, StoredTensor>>): Buffer {
  let at = 0
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const from = at
    at += bytes.byteLength
    return [name, { dtype, shape, data_offsets: [from, at] }] as const
  })
  const header = Buffer.from(
    JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.byteLength))
  return Buffer.concat([length, header, ...Object.values(tensors).map(({ bytes }) => bytes)])
}

export const writeSafetensors = (path: string, tensors: Readonly<Record<string, StoredTensor>>): void =>
  writeFileSync(path, safetensorsBytes(tensors))

const bytesOf = (values: Float32Array | Uint16Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

const scratch = new DataView(new ArrayBuffer(4))
const bitsOf = (x: number): number => {
  scratch.setFloat32(0, x)
  return scratch.getUint32(0)
}

/** Bits of a binary16; exact for numbers that have one (normal, or zero). */
export function halfBits(x: number): number {
  const bits = bitsOf(x)
  const [sign, exponent, fraction] = [bits >>> 31, (bits >>> 23) & 255, bits & 0x7fffff]
  return exponent === 0 ? sign << 15 : (sign << 15) | ((exponent - 112) << 10) | (fraction >> 13)
}

/** Numbers in one of the three formats; f16 and bf16 drop the bits that do not fit. */
export function stored(
  dtype: 'F32' | 'F16' | 'BF16',
  shape: readonly number[],
  values: Float32Array,
): StoredTensor {
  const bytes =
    dtype === 'F32'
      ? bytesOf(values)
      : bytesOf(Uint16Array.from(values, x => (dtype === 'F16' ? halfBits(x) : bitsOf(x) >>> 16)))
  return { dtype, shape, bytes }
}
