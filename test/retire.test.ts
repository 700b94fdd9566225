// Which critics that rounds made go, and which stay.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { writeArtifact } from '../src/critic/manifest.ts'
import { retireCritics } from '../src/retire.ts'
import { openSqliteStore } from '../src/store/sqlite.ts'
import { emptyLeague } from '../src/train/league/league.ts'
import { draftsOf } from '../src/train/round/draft.ts'
import { readSparring, writeSparring } from '../src/train/round/sparring-state.ts'
import { dropRound, roundsLeft } from '../src/train/round/work.ts'
import { tempFolder } from './fakes/tiny-critic.ts'

const sizes = { vocab: 1, width: 1, layers: 1, heads: 1, kvHeads: 1, mlp: 1, slots: 1, flags: 1 }
const FACTS = {
  kind: 'critic',
  opset: 21,
  model: { ...sizes, features: 0, headWidth: 1, ropeTheta: 1 },
  max_length: 8,
  features: [],
  reading: { calibration: { kind: 'platt', a: 1, b: 0 }, threshold: 0.5, ece: 0 },
  data_hash: 'hash',
  seed: 1,
  command: 'none',
} as const

/** Folders that look like critics: nobody opens them here. */
function aShelf(t: TestContext) {
  const { path: trainedDir, remove } = tempFolder()
  const store = openSqliteStore(':memory:')
  t.after(async () => {
    await store.close()
    remove()
  })
  let made = 0
  const add = (version: string, parent: string, decision: string | null = 'rejected') => {
    const metrics = decision === null ? {} : { round: { decision, reason: '', figures: {} } }
    const created_at = new Date(1e12 + 1000 * made++).toISOString()
    const facts = { ...FACTS, version: version.replace('.drafts/', ''), parent, created_at, metrics }
    const files = { 'model.onnx': new Uint8Array(4), 'tokenizer.json': '{}' }
    mkdirSync(join(trainedDir, version), { recursive: true })
    writeArtifact(join(trainedDir, version), files, facts)
  }
  const left = () => readdirSync(trainedDir).filter(name => !name.startsWith('.'))
  return { trainedDir, store, add, left }
}

test('of many refused critics the newest stay, and whoever is needed however old', async t => {
  const { trainedDir, store, add, left } = aShelf(t)
  for (const version of ['served', 'rolling', 'frozen', 'under-way', 'parent', 'useless'])
    add(version, version === 'served' ? 'parent' : 'shipped')
  add('by-hand', 'shipped', null)
  for (let i = 0; i < 20; i++) add(`refused-${i}`, 'now')
  add('now', 'served', 'promoted')
  await store.setServing({ version: 'now', history: ['served', 'shipped'] })
  await store.putNote('rollout', { id: 'job', candidate: 'rolling', parent: 'now', stage: 'shadow' }, 0)
  const league = {
    ...emptyLeague(),
    defenders: [{ name: 'frozen', player: { dir: join(trainedDir, 'frozen') } }],
  }
  writeSparring(trainedDir, { ...readSparring(trainedDir), league })
  const isUnderWay = async (version: string) => version === 'under-way'
  const gone = await retireCritics({ store, trainedDir, isUnderWay })
  const newest = Array.from({ length: 7 }, (_, i) => `refused-${13 + i}`)
  const needed = ['by-hand', 'frozen', 'now', 'parent', 'rolling', 'served', 'under-way']
  assert.deepEqual(left(), [...needed, ...newest].toSorted())
  assert.deepEqual(gone.length, 14)
  assert.ok(gone.includes('useless'))
  assert.deepEqual(readdirSync(draftsOf(trainedDir)), [])
  assert.deepEqual(await retireCritics({ store, trainedDir, isUnderWay }), [])
})

test('few critics all stay, and a folder that is not there is none', async t => {
  const { trainedDir, store, add, left } = aShelf(t)
  for (let i = 0; i < 8; i++) add(`refused-${i}`, 'shipped')
  const isUnderWay = async () => false
  assert.deepEqual(await retireCritics({ store, trainedDir, isUnderWay }), [])
  assert.deepEqual(await retireCritics({ store, trainedDir: join(trainedDir, 'none'), isUnderWay }), [])
  assert.equal(left().length, 8)
})

test('a draft that a killed round left counts as its work, and goes with it', t => {
  const { trainedDir, add } = aShelf(t)
  add('.drafts/trained-1', 'shipped')
  assert.deepEqual(roundsLeft(trainedDir), ['trained-1'])
  dropRound(trainedDir, 'trained-1')
  assert.deepEqual([roundsLeft(trainedDir), readdirSync(draftsOf(trainedDir))], [[], []])
})
