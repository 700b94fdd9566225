// An artifact is what its manifest says, byte for byte, or it does not exist.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { openArtifact, readManifest, writeArtifact } from '../../src/critic/manifest.ts'
import { AppError } from '../../src/errors.ts'
import { TINY_MODEL, tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())
let dir = ''
let made = 0

beforeEach(async () => {
  dir = join(folder.path, `${made++}`)
  await writeTinyCritic(dir, { version: 'tiny@1.0.0' })
})

const at = (file: string): string => join(dir, file)
const manifestText = (): string => readFileSync(at('manifest.json'), 'utf8')

function assertInvalid(message: RegExp): void {
  assert.throws(
    () => openArtifact(dir),
    (error: unknown) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'CRITIC_INVALID')
      assert.match(error.message, message)
      return true
    },
  )
}

/** Rewrites the manifest with some of its fields changed; `undefined` removes one. */
function change(fields: Record<string, unknown>): void {
  writeFileSync(at('manifest.json'), JSON.stringify({ ...JSON.parse(manifestText()), ...fields }))
}

test('a written artifact opens and says what was written', () => {
  const { manifest } = openArtifact(dir)
  assert.equal(manifest.version, 'tiny@1.0.0')
  assert.deepEqual(Object.keys(manifest.files).sort(), ['model.onnx', 'tokenizer.json'])
  assert.deepEqual(readManifest(dir), manifest)
  assert.deepEqual(
    readdirSync(dir).sort(),
    ['manifest.json', 'model.onnx', 'tokenizer.json'],
    'no draft is left',
  )
})

test('one changed byte is noticed, by file', () => {
  const model = readFileSync(at('model.onnx'))
  model[model.length >> 1]! ^= 1
  writeFileSync(at('model.onnx'), model)
  assertInvalid(/model\.onnx of tiny@1\.0\.0 does not match its hash/)
})

test('a missing file is noticed', () => {
  rmSync(at('tokenizer.json'))
  assertInvalid(/tiny@1\.0\.0 lacks its file tokenizer\.json/)
})

for (const name of ['../secret', '/etc/passwd', 'a/b', '..', '..\\secret', '']) {
  test(`a file named ${JSON.stringify(name)} is refused`, () => {
    writeFileSync(join(folder.path, 'secret'), 'x')
    change({ files: { ...JSON.parse(manifestText()).files, [name]: '0'.repeat(64) } })
    assertInvalid(name === '..' ? /lacks its file/ : /names a file outside its folder/)
  })
}

test('a manifest cut off anywhere is no manifest', () => {
  const text = manifestText()
  for (const length of [0, 1, 40, text.length >> 1, text.length - 3]) {
    writeFileSync(at('manifest.json'), text.slice(0, length))
    assert.equal(readManifest(dir), null, `${length} characters`)
    assertInvalid(/no readable manifest/)
  }
})

const BROKEN: Readonly<Record<string, Record<string, unknown>>> = {
  'another format': { format: 2 },
  'no version': { version: undefined },
  'an unknown kind': { kind: 'oracle' },
  'no files': { files: undefined },
  'no hash of the model': { files: { 'tokenizer.json': '0' } },
  'no hash of the tokenizer': { files: { 'model.onnx': '0' } },
  'files as a list': { files: ['model.onnx', 'tokenizer.json'] },
  'no model sizes': { model: undefined },
  'a size that is no number': { model: { vocab: 'many' } },
  'no window': { max_length: undefined },
  'an absurd window': { max_length: 2 ** 40 },
  'an absurd size': { model: { ...TINY_MODEL, vocab: 1e15 } },
  'a size below nothing': { model: { ...TINY_MODEL, layers: -1 } },
  'a version that would break a log line': { version: '1.0.0\nfake line' },
  'a version without end': { version: '1'.repeat(1000) },
  'canaries that are no list': { canaries: {} },
  'a canary with a score too few': { canaries: [{ problem: 'x', steps: ['a', 'b'], scores: [0.5] }] },
  'a canary with a score that is none': { canaries: [{ problem: 'x', steps: ['a'], scores: [null] }] },
  'canaries without end': { canaries: Array(1000).fill({ problem: 'x', steps: [], scores: [] }) },
  'no features': { features: undefined },
  'a critic without calibration': { reading: undefined },
  'a calibration that is no number': {
    reading: { calibration: { kind: 'platt', a: null, b: 0 }, threshold: 0.5, ece: 0 },
  },
}
for (const [name, fields] of Object.entries(BROKEN)) {
  test(`a manifest with ${name} is no manifest`, () => {
    change(fields)
    assert.equal(readManifest(dir), null)
    assertInvalid(/no readable manifest/)
  })
}

test('a manifest of many megabytes is not read', () => {
  change({ command: 'x'.repeat(2 ** 21) })
  assert.equal(readManifest(dir), null)
})

test('a model whose bytes stop short, or go on, is noticed by its hash', () => {
  const model = readFileSync(at('model.onnx'))
  for (const bytes of [model.subarray(0, -1), Buffer.concat([model, Buffer.from([0])])]) {
    writeFileSync(at('model.onnx'), bytes)
    assertInvalid(/model\.onnx of tiny@1\.0\.0 does not match its hash/)
  }
})

test('a half-written folder is no artifact', () => {
  rmSync(at('manifest.json'))
  assert.equal(readManifest(dir), null)
  assertInvalid(/no readable manifest/)
  writeFileSync(at('manifest.json.tmp'), '{"format": 1')
  assert.equal(readManifest(dir), null)
  assert.equal(readManifest(join(folder.path, 'nowhere')), null)
})

test('writing stops before the manifest when a file cannot be written', () => {
  const { files, format, ...facts } = openArtifact(dir).manifest
  rmSync(at('manifest.json'))
  assert.throws(() => writeArtifact(dir, { 'model.onnx': 'new', 'no/such/folder': 'x' }, facts))
  assert.equal(readManifest(dir), null)
  assert.deepEqual([format, Object.keys(files).length], [1, 2])
})

test('the sizes that only imported trunks have are optional and checked', () => {
  const { model } = JSON.parse(manifestText())
  const sizes = { headDim: 8, normEpsilon: 1e-6, qkvBias: true, untied: false }
  change({ model: { ...model, ...sizes } })
  assert.deepEqual(openArtifact(dir).manifest.model, { ...model, ...sizes })
  for (const wrong of [{ headDim: '8' }, { normEpsilon: null }, { qkvBias: 1 }, { untied: 'no' }]) {
    change({ model: { ...model, ...wrong } })
    assertInvalid(/no readable manifest/)
  }
})
