// Two candidates of one round: on from the serving critic and anew from the first of its line; the better one goes to the gate.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openArtifact } from '../../src/critic/manifest.ts'
import { weightsOf } from '../../src/train/export.ts'
import { emptyLeague, freezeDefender } from '../../src/train/league/league.ts'
import { isOutcomePath, type Weights } from '../../src/train/model/config.ts'
import { createRng } from '../../src/train/rng.ts'
import { choiceLists, learnCandidates, rootOf } from '../../src/train/round/candidates.ts'
import { prepareLessons } from '../../src/train/round/lessons.ts'
import type { SparringLeague } from '../../src/train/round/opponents.ts'
import { tempFolder, tinyTokenizer, writeTinyCritic } from '../fakes/tiny-critic.ts'
import { labelledExamples } from './round-world.ts'

const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
before(async () => {
  await writeTinyCritic(at('serving'), { version: 'serving', maxLength: 512 })
  await writeTinyCritic(at('first'), { version: 'first', maxLength: 512, seed: 2 })
})
after(() => folder.remove())

const replay = labelledExamples('lessons', 12, 'train')
const lessons = prepareLessons(tinyTokenizer, 512, { train: [], replay }, [], createRng(1))
const held = labelledExamples('held', 12, 'heldout')

/** A league whose first critic lies in this folder. */
const descended = (name: string, dir: string): SparringLeague =>
  freezeDefender(emptyLeague() as SparringLeague, { name, player: { dir } })

/** A clock that goes on by half a minute whenever it is read. */
function clock() {
  let ms = 0
  return () => {
    ms += 30_000
    return ms
  }
}

async function learnFor(minutes: number, chooseOn = [held]) {
  const serving = openArtifact(at('serving'))
  const { files: _, format: __, reading: ___, metrics: ____, ...facts } = serving.manifest
  const root = rootOf(descended('first', at('first')), serving)
  assert.equal(root?.manifest.version, 'first')
  const done: number[] = []
  const options = { threads: 1, budgetMs: minutes * 60_000, rng: createRng(1), now: clock() }
  const { figures, weights } = await learnCandidates(
    { serving, root },
    lessons,
    { ...options, onStep: share => done.push(share) },
    { facts, chooseOn },
  )
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  )
  return { figures, weights }
}

test('with time for both, the candidate that orders held-back steps better is taken', async () => {
  const { figures, weights } = await learnFor(5)
  const { serving, first } = figures['chosen_by_auc'] as { serving: number; first: number }
  assert.ok([serving, first].every(auc => auc > 0 && auc < 1) && serving !== first)
  assert.equal(figures['from'], first > serving ? 'first critic, first' : 'serving critic')
  assert.ok(Object.values(weights).every(({ length }) => length > 0))
})

test('the candidate that starts anew keeps what the serving critic learned of outcomes, whatever else the first critic was', async () => {
  // Turned round, the steps choose the other candidate.
  const turned = held.map(one => ({
    ...one,
    labels: one.labels.map(label => (label === null ? null : 1 - label)),
  }))
  const both = [await learnFor(5), await learnFor(5, [turned])]
  const [anew] = both.filter(({ figures }) => figures['from'] === 'first critic, first')
  assert.ok(anew)
  const [serving, first] = ['serving', 'first'].map(name => weightsOf(openArtifact(at(name))))
  for (const [name, learned] of Object.entries(anew.weights)) {
    const from = (start: Weights) => Math.hypot(...learned.map((x, i) => x - start[name]![i]!))
    if (isOutcomePath(name)) assert.equal(from(serving!), 0, name)
    else assert.ok(from(first!) < from(serving!), name)
  }
})

test('with little time, or nothing to choose on, there is one candidate', async () => {
  for (const { figures } of [await learnFor(1), await learnFor(5, [])]) {
    assert.equal(figures['from'], 'serving critic')
    assert.equal(figures['chosen_by_auc'], undefined)
  }
})

test('a line without another first critic, or whose folder is gone, starts nothing anew', async () => {
  const serving = openArtifact(at('serving'))
  assert.equal(rootOf(emptyLeague(), serving), null)
  assert.equal(rootOf(descended('serving', at('serving')), serving), null)
  await writeTinyCritic(at('gone'), { version: 'gone' })
  const league = descended('gone', at('gone'))
  assert.notEqual(rootOf(league, serving), null)
  rmSync(at('gone'), { recursive: true })
  assert.equal(rootOf(league, serving), null)
})

test('candidates are not chosen on what the gate measures', () => {
  const measured = held.slice(0, 4)
  const [rest, traps] = choiceLists(held, measured, emptyLeague())
  assert.deepEqual(rest, held.slice(4))
  assert.deepEqual(traps, [])
})
