// Reading GGUF and safetensors: what was written comes back, whatever it is; a broken file fails by name and at once.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openGguf } from '../../src/train/import/gguf.ts'
import { openSafetensors } from '../../src/train/import/safetensors.ts'
import {
  ggufBytes,
  ggufFloats,
  type WrittenTensor,
  type WrittenValue,
  writeGguf,
} from '../fakes/gguf-file.ts'
import { type StoredTensor, safetensorsBytes, stored, writeSafetensors } from '../fakes/safetensors-file.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())
const at = (name: string): string => join(folder.path, name)

const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })
const arrays = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).filter(name => name !== '__metadata__'),
  shapes.chain(shape => {
    const length = shape.reduce((a, b) => a * b, 1)
    return fc
      .float32Array({ minLength: length, maxLength: length })
      .map(values => ({ shape, values: Float32Array.from(values) }))
  }),
  { maxKeys: 6, noNullPrototype: true },
)
const metadata = fc.dictionary(
  fc.string({ maxLength: 12, unit: 'binary' }).filter(key => !/epsilon|freq_base|scale|alignment/.test(key)),
  fc.oneof(
    fc.nat(),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }),
    fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  ),
  { noNullPrototype: true },
)

test('a GGUF file gives back its metadata and its tensors', () => {
  fc.assert(
    fc.property(metadata, arrays, (pairs, tensors) => {
      const path = at('round.gguf')
      writeGguf(
        path,
        pairs as Record<string, WrittenValue>,
        Object.fromEntries(
          Object.entries(tensors).map(([name, { shape, values }]) => [name, ggufFloats(shape, values)]),
        ),
      )
      const file = openGguf(path)
      assert.deepEqual(Object.fromEntries(file.metadata), pairs)
      assert.deepEqual([...file.shapes.keys()], Object.keys(tensors))
      for (const [name, { shape, values }] of Object.entries(tensors)) {
        assert.deepEqual(file.shapes.get(name), shape)
        assert.deepEqual(file.read(name), values)
      }
      file.close()
    }),
    { numRuns: 60 },
  )
})

test('a safetensors file gives back its tensors', () => {
  fc.assert(
    fc.property(arrays, tensors => {
      const path = at('round.safetensors')
      writeSafetensors(
        path,
        Object.fromEntries(
          Object.entries(tensors).map(([name, { shape, values }]) => [name, stored('F32', shape, values)]),
        ),
      )
      const file = openSafetensors(path)
      for (const [name, { shape, values }] of Object.entries(tensors)) {
        assert.deepEqual(file.shapes.get(name), shape)
        assert.deepEqual(file.read(name), values)
      }
      file.close()
    }),
    { numRuns: 60 },
  )
})

const TENSOR = ggufFloats([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))
const GGUF = Buffer.concat(
  ggufBytes({ 'general.architecture': 'llama', 'a.list': ['x', 'y'] }, { t: TENSOR }),
)

test('a GGUF file cut anywhere fails by name when it is opened or read', () => {
  for (let length = 0; length < GGUF.byteLength - 8; length++) {
    writeFileSync(at('cut.gguf'), GGUF.subarray(0, length))
    assert.throws(
      () => {
        const file = openGguf(at('cut.gguf'))
        try {
          file.read('t')
        } finally {
          file.close()
        }
      },
      /cut\.gguf (is truncated or corrupt|is not a GGUF file)/,
      `cut at ${length}`,
    )
  }
})

test('a damaged GGUF file never crashes, hangs or takes memory: it opens or fails by name', () => {
  fc.assert(
    fc.property(fc.nat(GGUF.byteLength - 1), fc.nat(255), (place, byte) => {
      const bytes = Uint8Array.from(GGUF)
      bytes[place] = byte
      writeFileSync(at('hit.gguf'), bytes)
      try {
        const file = openGguf(at('hit.gguf'))
        for (const name of file.shapes.keys()) {
          try {
            file.read(name)
          } catch (error) {
            assert.match((error as Error).message, /hit\.gguf/)
          }
        }
        file.close()
      } catch (error) {
        assert.match((error as Error).message, /hit\.gguf/)
      }
    }),
    { numRuns: 400 },
  )
})

for (const { name, tensors, edit, wanted } of [
  {
    name: 'another version',
    edit: (bytes: Buffer) => bytes.writeUInt32LE(1, 4),
    wanted: /bad\.gguf is GGUF version 1; versions 2 and 3 can be read/,
  },
  {
    name: 'big-endian numbers',
    edit: (bytes: Buffer) => bytes.writeUInt32BE(3, 4),
    wanted: /bad\.gguf is a big-endian GGUF file/,
  },
  {
    name: 'more tensors than bytes',
    edit: (bytes: Buffer) => bytes.writeBigUInt64LE(2n ** 40n, 8),
    wanted: /bad\.gguf is corrupt: it states 1099511627776 tensors/,
  },
  {
    name: 'an unsupported quantisation',
    tensors: { 'blk.0.attn_q.weight': { shape: [1, 256], type: 10, bytes: new Uint8Array(84) } },
    wanted: /bad\.gguf stores blk\.0\.attn_q\.weight as q2_K, which cannot be read \(f32, f16, q4_0/,
  },
  {
    name: 'a format nobody knows',
    tensors: { t: { shape: [32], type: 999, bytes: new Uint8Array(32) } },
    wanted: /bad\.gguf stores t as type 999/,
  },
  {
    name: 'rows that are no whole blocks',
    tensors: { t: { shape: [32, 3], type: 8, bytes: new Uint8Array(102) } },
    wanted: /rows of t are no whole q8_0 blocks/,
  },
] as {
  name: string
  tensors?: Record<string, WrittenTensor>
  edit?: (bytes: Buffer) => void
  wanted: RegExp
}[]) {
  test(`a GGUF file with ${name} is refused`, () => {
    const bytes = Buffer.concat(ggufBytes({}, tensors ?? { t: TENSOR }))
    edit?.(bytes)
    writeFileSync(at('bad.gguf'), bytes)
    assert.throws(() => {
      const file = openGguf(at('bad.gguf'))
      try {
        for (const tensor of file.shapes.keys()) file.read(tensor)
      } finally {
        file.close()
      }
    }, wanted)
  })
}

const ONE: Record<string, StoredTensor> = { w: stored('F32', [2], Float32Array.of(1, 2)) }

for (const { name, bytes, wanted } of [
  { name: 'nothing in it', bytes: Buffer.alloc(0), wanted: /x\.safetensors is truncated or corrupt/ },
  { name: 'a header cut off', bytes: safetensorsBytes(ONE).subarray(0, 20), wanted: /it states a header of/ },
  { name: 'its data cut off', bytes: safetensorsBytes(ONE).subarray(0, -1), wanted: /truncated or corrupt/ },
  {
    name: 'a header that is no JSON',
    bytes: Buffer.concat([Buffer.from(BigUint64Array.of(4n).buffer), Buffer.from('{"a"')]),
    wanted: /its header is not JSON/,
  },
  {
    name: 'a tensor of another size than its shape says',
    bytes: safetensorsBytes({ w: { ...ONE['w']!, shape: [3] } }),
    wanted: /w has 8 bytes, expected 12/,
  },
  {
    name: 'a type that cannot be read',
    bytes: safetensorsBytes({ w: { dtype: 'F8_E4M3', shape: [2], bytes: new Uint8Array(2) } }),
    wanted: /x\.safetensors stores w as F8_E4M3, which cannot be read \(F32, F16, BF16 can\)/,
  },
  {
    name: 'an entry without a shape',
    bytes: Buffer.concat([Buffer.from(BigUint64Array.of(8n).buffer), Buffer.from('{"w":{}}')]),
    wanted: /its header does not describe w/,
  },
]) {
  test(`a safetensors file with ${name} is refused`, () => {
    writeFileSync(at('x.safetensors'), bytes)
    assert.throws(() => {
      const file = openSafetensors(at('x.safetensors'))
      try {
        file.read('w')
      } finally {
        file.close()
      }
    }, wanted)
  })
}

test('an index must name files in its folder that hold what it says', () => {
  writeSafetensors(at('part.safetensors'), ONE)
  const index = (map: unknown) => {
    writeFileSync(at('i.safetensors.index.json'), JSON.stringify({ weight_map: map }))
    return () => openSafetensors(at('i.safetensors.index.json')).close()
  }
  index({ w: 'part.safetensors' })()
  assert.throws(index({ v: 'part.safetensors' }), /part\.safetensors lacks the tensor v/)
  assert.throws(index({ w: '../part.safetensors' }), /a file outside its folder/)
  assert.throws(index({ w: 'gone.safetensors' }), /gone\.safetensors/)
  assert.throws(index(null), /has no weight_map/)
  assert.ok(readFileSync(at('part.safetensors')).byteLength > 0)
})
