// Each block format decodes as its definition says: blocks are packed here, number by number, from ggml-common.h.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bf16, dequantise, type Format, f16, f32, GGML_FORMATS } from '../../src/train/import/dequantise.ts'
import { createRng } from '../../src/train/rng.ts'
import { halfBits } from '../fakes/safetensors-file.ts'

const format = (name: string): Format => Object.values(GGML_FORMATS).find(f => f.name === name)!
const halfBytes = (x: number): number[] => [halfBits(x) & 255, halfBits(x) >> 8]
const ints = (count: number, low: number, high: number, seed: string): number[] => {
  const rng = createRng(seed)
  return Array.from({ length: count }, () => rng.int(low, high))
}

/** Decodes two equal blocks behind an odd offset and returns the second's numbers. */
function decode(name: string, block: readonly number[]): number[] {
  const { bytes, block: size } = format(name)
  assert.equal(block.length, bytes, name)
  const shifted = Uint8Array.from([7, ...block, ...block]).subarray(1)
  const out = dequantise(format(name), shifted)
  assert.equal(out.length, 2 * size)
  assert.deepEqual(out.subarray(0, size), out.subarray(size))
  return [...out.subarray(size)]
}

const singles = (values: readonly number[]): number[] => [...Float32Array.from(values)]

for (const { name, top, centre, minimum } of [
  { name: 'q4_0', top: 15, centre: 8, minimum: 0 },
  { name: 'q4_1', top: 15, centre: 0, minimum: -0.75 },
  { name: 'q5_0', top: 31, centre: 16, minimum: 0 },
  { name: 'q5_1', top: 31, centre: 0, minimum: 1.5 },
]) {
  test(`${name}: low nibbles are the first half of a block, high nibbles the second`, () => {
    const q = ints(32, 0, top, name)
    const fifth = q.reduce((bits, x, i) => bits | ((x >> 4) << i), 0) >>> 0
    const block = [
      ...halfBytes(0.125),
      ...(centre === 0 ? halfBytes(minimum) : []),
      ...(top === 31 ? [fifth & 255, (fifth >> 8) & 255, (fifth >> 16) & 255, fifth >>> 24] : []),
      ...Array.from({ length: 16 }, (_, i) => (q[i]! & 15) | ((q[i + 16]! & 15) << 4)),
    ]
    assert.deepEqual(decode(name, block), singles(q.map(x => 0.125 * (x - centre) + minimum)))
  })
}

test('q8_0: signed bytes times a scale', () => {
  const q = ints(32, -128, 127, 'q8')
  assert.deepEqual(
    decode('q8_0', [...halfBytes(-0.25), ...q.map(x => x & 255)]),
    singles(q.map(x => -0.25 * x)),
  )
})

for (const fifth of [false, true]) {
  const name = fifth ? 'q5_K' : 'q4_K'
  test(`${name}: eight groups with six-bit scales and minima`, () => {
    const q = ints(256, 0, fifth ? 31 : 15, name)
    const [scales, minima] = [ints(8, 0, 63, 'scales'), ints(8, 0, 63, 'minima')]
    // The first four of each stand in six bits; of the last four, four bits stand together and two on top of the first.
    const packed = [
      ...[0, 1, 2, 3].map(j => scales[j]! | ((scales[j + 4]! >> 4) << 6)),
      ...[0, 1, 2, 3].map(j => minima[j]! | ((minima[j + 4]! >> 4) << 6)),
      ...[4, 5, 6, 7].map(j => (scales[j]! & 15) | ((minima[j]! & 15) << 4)),
    ]
    const high = Array.from({ length: 32 }, (_, l) =>
      Array.from({ length: 8 }, (_, g) => (q[g * 32 + l]! >> 4) << g).reduce((a, b) => a | b, 0),
    )
    const low = Array.from({ length: 128 }, (_, i) => {
      const at = (i >> 5) * 64 + (i & 31)
      return (q[at]! & 15) | ((q[at + 32]! & 15) << 4)
    })
    const block = [...halfBytes(0.5), ...halfBytes(0.25), ...packed, ...(fifth ? high : []), ...low]
    const want = q.map((x, i) => 0.5 * scales[i >> 5]! * x - 0.25 * minima[i >> 5]!)
    assert.deepEqual(decode(name, block), singles(want))
  })
}

test('q6_K: six bits in two places, signed scales for groups of 16', () => {
  const q = ints(256, -32, 31, 'q6')
  const scales = ints(16, -128, 127, 'scales6')
  const bits = q.map(x => x + 32)
  const low: number[] = []
  const high: number[] = []
  for (const side of [0, 128]) {
    const at = (quarter: number, l: number) => bits[side + quarter * 32 + l]!
    for (let l = 0; l < 32; l++) low.push((at(0, l) & 15) | ((at(2, l) & 15) << 4))
    for (let l = 0; l < 32; l++) low.push((at(1, l) & 15) | ((at(3, l) & 15) << 4))
    for (let l = 0; l < 32; l++)
      high.push([0, 1, 2, 3].reduce((byte, quarter) => byte | ((at(quarter, l) >> 4) << (2 * quarter)), 0))
  }
  const block = [...low, ...high, ...scales.map(x => x & 255), ...halfBytes(0.0625)]
  assert.deepEqual(decode('q6_K', block), singles(q.map((x, i) => 0.0625 * scales[i >> 4]! * x)))
})

test('half precisions, at their edges', () => {
  const bits = (values: readonly number[]) => new Uint8Array(Uint16Array.from(values).buffer)
  assert.deepEqual(
    [...dequantise(f16, bits([0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x7c00, 0xfc00, 0x8000]))],
    [1, -2, 65504, 2 ** -14, 2 ** -24, -1023 * 2 ** -24, Infinity, -Infinity, -0],
  )
  assert.ok(Number.isNaN(dequantise(f16, bits([0x7e00]))[0]))
  assert.deepEqual([...dequantise(bf16, bits([0x3f80, 0xc040, 0x0000, 0xff80]))], [1, -3, 0, -Infinity])
  assert.deepEqual(
    [...dequantise(f32, new Uint8Array(Float32Array.of(1.5, -0.1).buffer))],
    singles([1.5, -0.1]),
  )
})
