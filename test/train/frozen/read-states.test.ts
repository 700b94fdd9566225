// Reading with a frozen base: the states are those of an independent forward pass, each row is read once, and a stop loses nothing.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Row } from '../../../src/critic/encode.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import type { Engine } from '../../../src/train/engine/port.ts'
import { firstLayers } from '../../../src/train/frozen/cut.ts'
import { type ReadProgress, readStates } from '../../../src/train/frozen/read-states.ts'
import { openStateFile } from '../../../src/train/frozen/state-file.ts'
import { importBase } from '../../../src/train/import/import-base.ts'
import { SHIFT } from '../../../src/train/import/vocabulary.ts'
import { openBase } from '../../../src/train/recipe/critic-start.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'
import { referenceLogits, TOKENS, tinyLlama, writeHuggingFace } from '../../fakes/tiny-llama.ts'

const folder = tempFolder()
after(() => folder.remove())
const engine = tracedEngine({ threads: 1 })
const LENGTHS = [8, 16, 24]

const llama = tinyLlama({ layers: 2 })
writeHuggingFace(join(folder.path, 'llama'), llama)
await importBase({
  ...{ from: join(folder.path, 'llama'), out: join(folder.path, 'base'), version: 'tiny', command: 'test' },
  createdAt: '2026-01-01T00:00:00.000Z',
  print: { write: () => {} },
})
const base = openBase(join(folder.path, 'base'))
const cut = firstLayers(base.config, base.stored, 1)

/** Rows of the source's tokens, of all lengths, with a step or three each. */
function randomRows(count: number): Row[] {
  const rng = createRng('rows')
  return Array.from({ length: count }, () => {
    const length = rng.int(6, 24)
    const ends = [1, 3, length - 1].slice(-rng.int(1, 3))
    return {
      tokens: Array.from({ length }, () => SHIFT + rng.int(0, TOKENS.length - 1)),
      slots: Array.from({ length }, () => 0),
      flags: Array.from({ length }, () => 0),
      ends,
      steps: ends.map((at, index) => ({ index, at })),
    }
  })
}

let files = 0
const read = async (
  rows: readonly Row[],
  change: { path?: string; signal?: AbortSignal; engine?: Engine } = {},
) => {
  const path = change.path ?? join(folder.path, `${files++}.states`)
  const file = openStateFile(path, cut.config.width)
  const told: ReadProgress[] = []
  try {
    await readStates({
      ...{ engine, ...cut, rows, file, lengths: LENGTHS, batchTokens: 48, now: () => 0, ...change },
      onBatch: progress => told.push(progress),
    })
  } finally {
    file.close()
  }
  return { path, file, told }
}

test('states are what the first layer leaves at the ends of steps, normed, whatever stands beside them in a batch', async () => {
  const rows = randomRows(20)
  const { file, told } = await read(rows)
  assert.ok(told.length > 3)
  assert.deepEqual(told.at(-1), { tokens: told[0]!.of, of: told[0]!.of, elapsedMs: 0 })
  // A source of one layer whose last norm has a gain of 1: its logits are products of those states with its embedding.
  const one = tinyLlama({ layers: 1 })
  one.tensors['model.norm.weight']!.values.fill(1)
  const { values: embedding } = one.tensors['model.embed_tokens.weight']!
  for (const row of rows) {
    const want = referenceLogits(
      one,
      row.tokens.map(token => token - SHIFT),
    )
    const states = file.get(row)!
    assert.equal(states.length, row.steps.length)
    states.forEach((state, s) => {
      const logits = want[row.steps[s]!.at]!
      const scale = Math.max(...logits.map(Math.abs))
      logits.forEach((logit, token) => {
        const got = state.reduce((sum, x, i) => sum + x * embedding[token * one.width + i]!, 0)
        assert.ok(Math.abs(got - logit) < 3e-5 * scale, `token ${token}: ${got} for ${logit}`)
      })
    })
  }
})

test('what a file has is not read again, in this process or another', async () => {
  const rows = randomRows(12)
  const { path } = await read(rows)
  const idle: Engine = { ...engine, compile: () => assert.fail('nothing is left to compile') }
  assert.deepEqual((await read([...rows, ...rows], { path, engine: idle })).told, [])
  const more = randomRows(16)
  const { told } = await read(more, { path })
  assert.equal(
    told.at(-1)!.of,
    more.slice(12).reduce((sum, { tokens }) => sum + tokens.length, 0),
  )
})

test('a stop keeps what was read, and the next run reads the rest', async () => {
  const rows = randomRows(20)
  const stop = new AbortController()
  const path = join(folder.path, 'stopped.states')
  const file = openStateFile(path, cut.config.width)
  let batches = 0
  const run = readStates({
    ...{ engine, ...cut, rows, file, lengths: LENGTHS, batchTokens: 48, now: () => 0, signal: stop.signal },
    onBatch: () => {
      if (++batches === 3) stop.abort(new Error('enough'))
    },
  })
  await assert.rejects(run, /enough/)
  file.close()
  const kept = file.rows
  assert.ok(kept > 0 && kept < rows.length)
  const { file: whole, told } = await read(rows, { path })
  assert.equal(whole.rows, rows.length)
  const left = rows.filter(row => file.get(row) === null)
  assert.equal(left.length, rows.length - kept)
  assert.equal(
    told.at(-1)!.of,
    left.reduce((sum, { tokens }) => sum + tokens.length, 0),
  )
})

test('a row that no length holds is refused before anything is read', async () => {
  const [row] = randomRows(1)
  const long = { ...row!, tokens: Array.from({ length: 25 }, () => SHIFT) }
  await assert.rejects(read([row!, long]), /longer than 24 tokens/)
})
