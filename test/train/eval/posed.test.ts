// Problems to be solved: read from files, drawn by seed, generated, compared.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeJsonl } from '../../../src/train/data/jsonl.ts'
import { drawPosed, freshProblems, hashPosed, isRight } from '../../../src/train/eval/posed.ts'
import { createRng } from '../../../src/train/rng.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())

function written(records: readonly unknown[]): string {
  const path = join(folder.path, 'problems.jsonl.gz')
  writeJsonl(path, records)
  return path
}

const MANY = Array.from({ length: 30 }, (_, i) => ({ problem: `problem ${i}`, answer: String(i) }))

test('draws are without replacement and by seed alone; all records where there are no more', () => {
  const path = written(MANY)
  const draw = (seed: number, count: number) => drawPosed(path, count, createRng(seed))
  assert.deepEqual(draw(1, 10), draw(1, 10))
  assert.notDeepEqual(draw(1, 10), draw(2, 10))
  assert.equal(new Set(draw(1, 10).map(({ problem }) => problem)).size, 10)
  assert.deepEqual(
    new Set(draw(1, 99).map(({ problem }) => problem)),
    new Set(MANY.map(({ problem }) => problem)),
  )
})

test('an answer may be a number, or stand in reference_answer', () => {
  const path = written([
    { problem: 'a', answer: 7 },
    { problem: 'b', reference_answer: '\\frac{1}{2}', candidates: [] },
  ])
  const byProblem = new Map(drawPosed(path, 9, createRng(1)).map(posed => [posed.problem, posed]))
  assert.ok(isRight(byProblem.get('a')!, '$7.00'))
  assert.ok(isRight(byProblem.get('b')!, '0.5'))
  assert.ok(!isRight(byProblem.get('b')!, '2'))
  assert.ok(!isRight(byProblem.get('b')!, null))
})

for (const [name, record] of Object.entries({
  'no problem': { answer: '1' },
  'an empty problem': { problem: ' ', answer: '1' },
  'no answer': { problem: 'a' },
  'an empty answer': { problem: 'a', answer: ' ' },
}))
  test(`${name} is refused with the number of the record`, () => {
    const path = written([MANY[0], record])
    assert.throws(() => drawPosed(path, 1, createRng(1)), /record 2: (problem|answer) must be/)
  })

test('an empty file is refused', () => {
  assert.throws(() => drawPosed(written([]), 1, createRng(1)), /has no records/)
})

test('fresh problems are those of the seed, distinct, and their own answers are right', () => {
  const fresh = freshProblems(createRng(3), 20)
  assert.deepEqual(fresh, freshProblems(createRng(3), 20))
  assert.equal(new Set(fresh.map(({ problem }) => problem)).size, 20)
  assert.ok(fresh.every(posed => isRight(posed, posed.answer)))
})

test('the hash tells problems, answers and their order apart', () => {
  const [a, b] = [MANY[0]!, MANY[1]!]
  const hashes = [[a, b], [b, a], [a], [{ ...a, answer: '9' }, b]].map(hashPosed)
  assert.equal(new Set(hashes).size, hashes.length)
  assert.equal(hashPosed([a, b]), hashes[0])
})
