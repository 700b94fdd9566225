// When a vote is over: what is called decided stays so, and nothing decided is missed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ballotsToDecide } from '../../src/search/decide.ts'
import { type Ballot, pickMajority, pickWeighted } from '../../src/search/pick.ts'

/** `a.9` is a ballot for the answer a with a score of .9, `a` an unscored one, `-` one without an answer. */
const ballot = (text: string): Ballot => ({
  key: text[0] === '-' ? null : text[0]!,
  logScore: text.length === 1 ? null : Math.log(Number(text.slice(1))),
})

const TABLE: [vote: 'majority' | 'weighted', ballots: string, left: number, want: number][] = [
  ['majority', '', 8, 5],
  ['majority', '', 7, 4],
  ['majority', '', 1, 1],
  ['majority', '', 0, 0],
  ['majority', 'a a a a', 4, 1],
  ['majority', 'a a a a a', 3, 0],
  ['majority', 'a a a a', 3, 0],
  ['majority', 'a a b', 5, 3],
  ['majority', 'a a b', 1, 1],
  ['majority', 'a b', 2, 2],
  ['majority', 'a b', 0, 0],
  ['majority', '- - -', 2, 2],
  ['majority', 'a - - -', 1, 1],
  ['majority', 'a a - - -', 1, 0],
  ['weighted', 'a.9 a.9', 1, 0],
  ['weighted', 'a.5 a.5', 1, 1],
  ['weighted', 'a1 a1 b.1', 2, 1],
  ['weighted', 'a1 a1 a.2 b.1', 2, 0],
  ['weighted', 'a1 a1 b.9999999999999', 1, 1],
  ['weighted', 'a a a', 1, 1],
  ['weighted', 'b.9 b.9 b.9 a a a', 2, 0],
]

for (const [vote, ballots, left, want] of TABLE) {
  test(`${vote}: after "${ballots}" with ${left} to come, ${want} may decide`, () => {
    const choose = vote === 'majority' ? pickMajority : pickWeighted
    const cast = ballots === '' ? [] : ballots.split(' ').map(ballot)
    assert.equal(ballotsToDecide(choose, cast, left), want)
  })
}

const anyBallot = fc.record({
  key: fc.constantFrom('a', 'a', 'a', 'b', 'c', null),
  logScore: fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }).map(score => Math.log(score)),
    fc.constantFrom(null, 0),
  ),
})

for (const [name, choose] of [
  ['majority', pickMajority],
  ['weighted', pickWeighted],
] as const) {
  const winnerOf = (ballots: readonly Ballot[]) => ballots[choose(ballots).winner!]?.key

  test(`${name}: nothing that comes after the decision changes the winner`, () => {
    let decided = 0
    fc.assert(
      fc.property(fc.array(anyBallot, { minLength: 1, maxLength: 10 }), fc.nat(), (ballots, cut) => {
        const cast = ballots.slice(0, 1 + (cut % ballots.length))
        if (ballotsToDecide(choose, cast, ballots.length - cast.length) > 0) return
        decided += cast.length < ballots.length ? 1 : 0
        assert.equal(winnerOf(ballots), winnerOf(cast))
      }),
      { numRuns: 3000 },
    )
    assert.ok(decided > 15, `${decided} early decisions seen`)
  })

  test(`${name}: fewer ballots than said cannot decide it, and as many for the leader do`, () => {
    const full = (key: string): Ballot => ({ key, logScore: 0 })
    fc.assert(
      fc.property(fc.array(anyBallot, { maxLength: 8 }), fc.integer({ min: 1, max: 8 }), (cast, left) => {
        const need = ballotsToDecide(choose, cast, left)
        const leader = (cast.length > 0 && winnerOf(cast)) || 'a'
        const after = (count: number) =>
          ballotsToDecide(
            choose,
            [...cast, ...Array.from({ length: count }, () => full(leader))],
            left - count,
          )
        for (let count = 0; count < need; count++)
          assert.ok(after(count) > 0, `decided after ${count} of ${need}`)
        assert.equal(after(need), 0)
      }),
      { numRuns: 2000 },
    )
  })
}
