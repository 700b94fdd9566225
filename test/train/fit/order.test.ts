// Fitting an order: what tells right from wrong is found, noise is not learned, weights stay where nothing is known.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Contest, fitOrder, type Ranked } from '../../../src/train/fit/order.ts'
import { createRng } from '../../../src/train/rng.ts'

const SIZE = 30
const START = new Float32Array(SIZE)
const score = ({ inputs, offset }: Ranked, w: ArrayLike<number>) =>
  inputs.reduce((sum, x, j) => sum + x * w[j]!, offset)

/** Contests of eight candidates each; `isRight` tells by inputs and chance. */
function contests(
  seed: string,
  count: number,
  isRight: (inputs: Float32Array, chance: number) => boolean,
): Contest[] {
  const rng = createRng(seed)
  return Array.from({ length: count }, () => {
    const all = Array.from({ length: 8 }, () => {
      const inputs = Float32Array.from({ length: SIZE }, () => (rng.uniform() < 0.5 ? 1 : 0))
      return { inputs, offset: 0, right: isRight(inputs, rng.uniform()) }
    })
    return { right: all.filter(c => c.right), wrong: all.filter(c => !c.right), weight: 1 }
  })
}

/** Share of pairs in order. */
function ordered(fresh: readonly Contest[], w: ArrayLike<number>): number {
  const pairs = fresh.flatMap(({ right, wrong }) =>
    right.flatMap(r => wrong.map(x => score(r, w) > score(x, w))),
  )
  return pairs.filter(Boolean).length / pairs.length
}

/** Mostly right with the first input, mostly wrong with the second. */
const planted = (x: Float32Array, chance: number) => chance < 0.5 + 0.4 * (x[0]! - x[1]!)

test('what tells right from wrong candidates orders those of other problems', () => {
  const { weights, ridge, loss } = fitOrder(contests('given', 120, planted), START)
  assert.ok(ridge !== null && loss!.after < loss!.before)
  assert.ok(weights[0]! > 0.3 && weights[1]! < -0.3, `${weights[0]} ${weights[1]}`)
  assert.ok(ordered(contests('fresh', 300, planted), weights) > 0.7)
})

test('from chance next to nothing is learned', () => {
  const { weights, ridge } = fitOrder(
    contests('chance', 60, (_, chance) => chance < 0.5),
    START,
  )
  assert.ok(ridge === null || ridge >= 10, `ridge ${ridge}`)
  assert.ok(Math.max(...weights.map(Math.abs)) < 0.2)
})

test('where what is known already orders the candidates, the weights have nothing to add', () => {
  const known = contests('known', 60, planted).map(({ right, wrong, weight }) => ({
    right: right.map(one => ({ ...one, offset: 20 })),
    wrong,
    weight,
  }))
  const { weights } = fitOrder(known, START)
  assert.ok(Math.max(...weights.map(Math.abs)) < 0.01)
})

test('a contest counts by its weight', () => {
  const against = contests('against', 60, (x, chance) => !planted(x, chance))
  const all = [...contests('for', 60, planted), ...against.map(contest => ({ ...contest, weight: 0.05 }))]
  assert.ok(fitOrder(all, START).weights[0]! > 0.2)
})

test('fewer than two problems with right and wrong candidates leave the weights as they are', () => {
  const start = Float32Array.from({ length: SIZE }, (_, j) => j)
  const [one] = contests('one', 1, planted)
  const alike = { right: one!.right, wrong: [], weight: 1 }
  assert.deepEqual(fitOrder([one!, alike], start), { weights: start, ridge: null })
  assert.deepEqual(fitOrder([], start), { weights: start, ridge: null })
})

test('the fit goes on from where the weights are', () => {
  const given = contests('given', 40, planted)
  const start = Float32Array.from(START, (_, j) => (j === 5 ? 1 : 0))
  const { weights } = fitOrder(given, start)
  const anew = fitOrder(given, START).weights
  assert.ok(weights[5]! > anew[5]! + 0.1)
})
