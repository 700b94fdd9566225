// Frozen generators in the gate: an equal critic seldom fails by chance however many there are, one that lost to a single generator does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CritiqueItem } from '../../src/critic/types.ts'
import { createRng, type Rng } from '../../src/train/rng.ts'
import { bootstrapTogether } from '../../src/train/round/bootstrap.ts'
import { frozenChecks } from '../../src/train/round/frozen-checks.ts'
import { type MetTraps, meetTraps, setTraps, trapFigures } from '../../src/train/round/frozen-traps.ts'
import { decide } from '../../src/train/round/gate.ts'
import type { Measured } from '../../src/train/round/measure.ts'
import type { Judge, JudgedDuel } from '../../src/train/round/play.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'

const duel = (ordered: number): JudgedDuel => ({
  problem: '',
  steps: [],
  spoiled: { steps: [], wrong_index: 0, operator: 'near_miss', provably_wrong: true, why: '' },
  fooled: ordered === 0,
  falseAlarm: false,
  ordered,
})

/** A critic that orders each trap rightly with this chance, generator by generator; some solutions are hard for every generator. */
function met(rng: Rng, chances: readonly number[], solutions: number): MetTraps[] {
  const hard = Array.from({ length: solutions }, () => rng.uniform() < 0.3)
  return chances.map((chance, g) => ({
    name: `g${g}`,
    duels: hard.map(isHard =>
      rng.uniform() < 0.1 ? null : duel(rng.uniform() < (isHard ? chance / 2 : chance) ? 1 : 0),
    ),
  }))
}

/** Both critics meet the same traps: each of the candidate's verdicts is the serving critic's but for some that flip either way. */
function paired(seed: string, generators: number, forgets: number | null, solutions = 40) {
  const rng = createRng(seed)
  const serving = met(rng, Array(generators).fill(0.8), solutions)
  const candidate = serving.map(({ name, duels }, g) => ({
    name,
    duels: duels.map(d => {
      if (d === null) return null
      if (g === forgets && rng.uniform() < 0.6) return duel(0)
      return rng.uniform() < 0.25 ? duel(rng.uniform() < 0.74 ? 1 : 0) : d
    }),
  }))
  return { serving, candidate }
}

const slice = Array.from({ length: 12 }, (_, p) => ({
  problem: `${p}`,
  source: 'human',
  firstError: p % 2 === 0 ? -1 : 1,
  scores: [0.9, p % 2 === 0 ? 0.9 : 0.1],
}))
const measured = (frozen: readonly MetTraps[]): Measured => ({
  version: 'x',
  threshold: 0.5,
  slice,
  traffic: [],
  chosen: [],
  sneaky: [],
  frozen,
})
const judge = ({ serving, candidate }: Record<'serving' | 'candidate', readonly MetTraps[]>) =>
  decide(measured(serving), measured(candidate), createRng(1))

test('of equal critics that differ by chance only few are refused, with one frozen generator or a dozen', () => {
  for (const generators of [1, 12]) {
    const runs = 40
    const refused = Array.from({ length: runs }, (_, i) => judge(paired(`${i}`, generators, null))).filter(
      ({ decision }) => decision === 'rejected',
    )
    assert.ok(
      refused.length <= 0.1 * runs,
      `${refused.length} of ${runs} with ${generators}: ${refused[0]?.reason}`,
    )
  }
})

test('a critic that lost to one generator of a dozen is refused, whichever it is, and that one is named', () => {
  for (const forgets of [0, 5, 11]) {
    const { decision, reason, figures } = judge(paired(`lost ${forgets}`, 12, forgets))
    assert.equal(decision, 'rejected')
    assert.match(
      reason,
      new RegExp(`traps of the frozen g${forgets} fell by 0\\.\\d+, which chance does not explain`),
    )
    assert.equal(reason.match(/frozen g\d+/g)!.length, 1)
    assert.equal(Object.keys(figures['frozen'] as object).length, 13)
  }
})

test('a small loss to all of them is refused where none of them shows it alone', () => {
  const serving = met(createRng('all'), Array(12).fill(1), 60)
  const rng = createRng('worse')
  const candidate = serving.map(({ name, duels }) => ({
    name,
    duels: duels.map(d => (d !== null && rng.uniform() < 0.06 ? duel(0) : d)),
  }))
  const { decision, reason } = judge({ serving, candidate })
  assert.equal(decision, 'rejected')
  assert.match(
    reason,
    /^The candidate is worse: traps of frozen generators scored below the original fell by 0\.0\d+/,
  )
})

test('the figure of all generators is told when a critic is promoted; few solutions say nothing', () => {
  const { serving, candidate } = paired('few', 3, null, 8)
  assert.deepEqual(frozenChecks(serving, candidate, createRng(1)), [])
  const same = paired('same', 2, null).serving
  const { decision, reason } = judge({ serving: same, candidate: same })
  assert.equal(decision, 'promoted')
  assert.match(reason, /traps of frozen generators scored below the original \+0\.000\.$/)
})

test('bounds that hold together are wider than one that stands alone, and the difference is the mean', () => {
  const rng = createRng('rows')
  const rows = Array.from({ length: 10 }, () => Array.from({ length: 50 }, () => rng.normal()))
  const [alone] = bootstrapTogether(rows.slice(0, 1), createRng(1))
  const [together] = bootstrapTogether(rows, createRng(1))
  const mean = rows[0]!.reduce((sum, x) => sum + x, 0) / 50
  assert.ok(Math.abs(alone!.difference - mean) < 1e-12)
  const [one, ten] = [alone!, together!].map(({ highest }) => (highest - mean) * Math.sqrt(50)) as [
    number,
    number,
  ]
  assert.ok(one > 1.6 && one < 2.6, `2.05 of a single mean, ${one}`)
  assert.ok(ten > 2.4 && ten < 3.5, `2.88 of ten, ${ten}`)
})

test('every generator spoils the same solutions, and a critic reads each text once', async () => {
  const attackers = ['a', 'b', 'c'].map(name => ({ name, player: createPolicy() }))
  const traps = setTraps(attackers, createRng(1), 0.1)
  assert.deepEqual(
    traps.map(({ name }) => name),
    ['a', 'b', 'c'],
  )
  assert.ok(traps.every(({ duels }) => duels.length === 20))
  const problems = (g: number) => traps[g]!.duels.map(d => d?.problem)
  for (const [i, problem] of problems(0).entries())
    for (const g of [1, 2]) assert.ok(problem === undefined || [problem, undefined].includes(problems(g)[i]))
  assert.notDeepEqual(traps[0]!.duels, traps[1]!.duels)
  const read: string[] = []
  const critic: Judge = {
    async judge(items: readonly CritiqueItem[]) {
      read.push(...items.map(item => JSON.stringify(item)))
      return items.map(({ steps }) => ({
        steps: steps.map((_, i) => ({ score: i / 10, evidence: [] })),
        tokens: 0,
      }))
    },
  }
  const judged = await meetTraps(critic, 0.5, traps)
  assert.equal(new Set(read).size, read.length)
  for (const [g, { duels }] of judged.entries())
    for (const [i, d] of duels.entries()) assert.deepEqual(d?.spoiled, traps[g]!.duels[i]?.spoiled)
  const figures = trapFigures(judged) as Record<string, { traps: number; ordered: number }>
  assert.equal(figures['a']!.traps, traps[0]!.duels.filter(d => d !== null).length)
  assert.equal(figures['a']!.ordered, 0.5)
  assert.deepEqual(setTraps([], createRng(1), 1), [])
})
