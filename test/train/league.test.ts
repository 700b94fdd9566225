// The league: who is met how often, what is kept, and that it remembers where plain self-play forgets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  attackRate,
  emptyLeague,
  freezeAttacker,
  freezeDefender,
  type League,
  recordGames,
} from '../../src/train/league/league.ts'
import { drawOpponent, opponentChances } from '../../src/train/league/pfsp.ts'
import { createRng } from '../../src/train/rng.ts'

const rates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 })

test('chances of opponents add up to 1 and never fall below the floor', () => {
  fc.assert(
    fc.property(rates, fc.double({ min: 0, max: 1, noNaN: true }), (winRates, floor) => {
      const chances = opponentChances(winRates, { floor })
      assert.ok(Math.abs(chances.reduce((sum, p) => sum + p, 0) - 1) < 1e-9)
      assert.ok(chances.every(p => p >= floor / winRates.length - 1e-12))
    }),
  )
})

test('who is harder to beat is met at least as often', () => {
  fc.assert(
    fc.property(rates, winRates => {
      const chances = opponentChances(winRates)
      for (const [i, p] of chances.entries())
        for (const [j, q] of chances.entries()) if (winRates[i]! < winRates[j]!) assert.ok(p >= q - 1e-12)
    }),
  )
})

test('where everybody is beaten for sure the choice is even', () => {
  assert.deepEqual(opponentChances([1, 1, 1, 1]), [0.25, 0.25, 0.25, 0.25])
  assert.deepEqual(opponentChances([]), [])
})

test('opponents are drawn as often as their chances say', () => {
  const rng = createRng(1)
  const met = { easy: 0, even: 0, hard: 0 }
  const winRates = { easy: 0.9, even: 0.5, hard: 0.1 }
  const names = ['easy', 'even', 'hard'] as const
  for (let i = 0; i < 6000; i++) met[drawOpponent(rng, names, name => winRates[name])]++
  const chances = opponentChances(names.map(name => winRates[name]))
  for (const [i, name] of names.entries()) assert.ok(Math.abs(met[name] / 6000 - chances[i]!) < 0.03)
})

const player = (name: string) => ({ name, player: name })

test('a side is bounded; the first player and the newest stay', () => {
  let league: League<string, string> = emptyLeague()
  for (let i = 0; i < 9; i++) league = freezeAttacker(league, player(`a${i}`), 4)
  assert.deepEqual(
    league.attackers.map(({ name }) => name),
    ['a0', 'a6', 'a7', 'a8'],
  )
})

test('games of players that left are forgotten, those of the others stay', () => {
  let league: League<string, string> = freezeDefender(emptyLeague(), player('d'))
  for (const name of ['a0', 'a1', 'a2']) {
    league = freezeAttacker(league, player(name), 3)
    league = recordGames(league, 'd', name, { games: 8, won: 7 })
  }
  league = freezeAttacker(league, player('a3'), 3)
  assert.deepEqual(Object.keys(league.table['d']!), ['a0', 'a2'])
  assert.equal(attackRate(league, 'd', 'a0'), 0.8)
  assert.equal(attackRate(league, 'd', 'a3'), 0.5)
})

test('freezing a player again changes nothing twice', () => {
  const once = recordGames(
    freezeAttacker(freezeDefender(emptyLeague(), player('d')), player('a')),
    'd',
    'a',
    { games: 4, won: 1 },
  )
  const again = freezeAttacker(once, player('a'))
  assert.equal(again.attackers.length, 1)
  assert.deepEqual(again.table, { d: {} })
  assert.deepEqual(JSON.parse(JSON.stringify(once)), once)
})

/** Chance that the first of two mixtures of rock, paper and scissors wins, less that it loses. */
const score = (one: readonly number[], two: readonly number[]): number =>
  one.reduce((sum, p, i) => sum + p * (two[(i + 2) % 3]! - two[(i + 1) % 3]!), 0)
const softmax = (weights: readonly number[]): number[] => {
  const raw = weights.map(w => Math.exp(w - Math.max(...weights)))
  const total = raw.reduce((sum, w) => sum + w, 0)
  return raw.map(w => w / total)
}

/** One player learns by policy gradient and is frozen each generation; returns its mixtures, oldest first. */
function learn(withLeague: boolean): number[][] {
  const rng = createRng(5)
  let weights = [0.5, 0, 0]
  let league: League<number[], string> = emptyLeague()
  const frozen: number[][] = [softmax(weights)]
  for (let generation = 0; generation < 60; generation++) {
    const name = `g${generation}`
    league = freezeAttacker(freezeDefender(league, player(name)), { name, player: softmax(weights) }, 24)
    for (let step = 0; step < 40; step++) {
      const opponent = withLeague
        ? drawOpponent(rng, league.attackers, a => 1 - attackRate(league, name, a.name))
        : league.attackers.at(-1)!
      const mine = softmax(weights)
      const value = score(mine, opponent.player)
      league = recordGames(league, name, opponent.name, { games: 1, won: (1 - value) / 2 })
      const payoff = [0, 1, 2].map(i =>
        score(
          [0, 1, 2].map(k => (k === i ? 1 : 0)),
          opponent.player,
        ),
      )
      weights = weights.map((w, i) => w + 0.1 * mine[i]! * (payoff[i]! - value))
    }
    frozen.push(softmax(weights))
  }
  return frozen
}

test('in a game without a best player, self-play loses to its own past and the league does not', () => {
  const worst = (mixtures: readonly number[][]) => {
    const last = mixtures.at(-1)!
    return Math.min(...mixtures.map(past => score(last, past)))
  }
  const [alone, together] = [worst(learn(false)), worst(learn(true))]
  assert.ok(alone < -0.5, `self-play: ${alone}`)
  assert.ok(together > -0.25, `league: ${together}`)
})
