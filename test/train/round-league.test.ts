// The league beside a round: it is written whole, survives, is bounded to what still exists, and each pair meets once.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { emptyLeague, freezeDefender } from '../../src/train/league/league.ts'
import {
  growLeague,
  hasExploiter,
  leagueFigures,
  meetingDuels,
  type SparringLeague,
} from '../../src/train/round/opponents.ts'
import { afterRound, readSparring, writeSparring } from '../../src/train/round/sparring-state.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
before(() => writeTinyCritic(at('critic'), { maxLength: 512, version: 'c0' }))
after(() => folder.remove())

test('what sparring remembers is read back as it was written, and a damaged file begins anew', () => {
  const fresh = readSparring(at('state'))
  assert.deepEqual(fresh.notes, [])
  const generator = { ...createPolicy(), weights: createPolicy().weights.map((_, i) => i / 10) }
  const state = afterRound({ ...fresh, generator }, { version: 'v1', decision: 'promoted' })
  writeSparring(at('state'), state)
  assert.deepEqual(readSparring(at('state')), state)
  const [dir] = readdirSync(at('state'))
  assert.deepEqual(readdirSync(join(at('state'), dir!)), ['sparring.json'])
  writeFileSync(join(at('state'), dir!, 'sparring.json'), '{"format":1,"lea')
  assert.deepEqual(readSparring(at('state')), fresh)
})

test('rounds are counted beyond the notes that are kept, and one that is run again once', () => {
  let state = readSparring(at('none'))
  for (let i = 0; i < 70; i++) state = afterRound(state, { version: `v${i}`, decision: 'promoted' })
  const again = afterRound(state, { version: 'v69', decision: 'rejected' })
  assert.deepEqual([again.rounds, again.notes.length], [70, 50])
  assert.deepEqual(again.notes.at(-1), { version: 'v69', decision: 'rejected' })
})

test('a generator sets the same traps for every critic', () => {
  assert.deepEqual(meetingDuels('g', createPolicy(), 12), meetingDuels('g', createPolicy(), 12))
  assert.notDeepEqual(meetingDuels('g', createPolicy(), 12), meetingDuels('h', createPolicy(), 12))
})

test('newcomers meet everybody once; a critic whose folder is gone meets nobody', async () => {
  mkdirSync(at('gone'))
  const gone = freezeDefender(emptyLeague() as SparringLeague, {
    name: 'gone',
    player: { dir: at('gone') },
  })
  rmSync(at('gone'), { recursive: true })
  const critic = { version: 'c0', dir: at('critic') }
  const one = await growLeague(gone, { critic, generators: { g1: createPolicy() } }, { threads: 1 })
  const two = await growLeague(one, { critic, generators: { g2: createPolicy() } }, { threads: 1 })
  assert.deepEqual(Object.keys(two.table['c0']!), ['g1', 'g2'])
  assert.deepEqual(two.table['c0']!['g1'], one.table['c0']!['g1'])
  assert.ok(one.table['c0']!['g1']!.games > 20)
  assert.deepEqual(two.table['gone'] ?? {}, {})
  const figures = leagueFigures(two, 'c0') as { generators: Record<string, { chance: number }> }
  const chances = Object.values(figures.generators).map(({ chance }) => chance)
  assert.ok(Math.abs(chances.reduce((sum, p) => sum + p, 0) - 1) < 1e-3)
})

test('every third round has an exploiter', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5].filter(hasExploiter), [2, 5])
})
