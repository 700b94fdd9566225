// States on disk: what was written whole is found again by the row's content, whatever a kill left at the end.
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { openStateFile } from '../../../src/train/frozen/state-file.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'

const folder = tempFolder()
after(() => folder.remove())
const WIDTH = 3
let count = 0
const fresh = (): string => join(folder.path, 'deep', `${count++}.states`)

/** Row i, its steps, and its states. */
const row = (i: number, steps: number) => ({
  tokens: [7, i, 9],
  slots: [0, 0, 0],
  flags: [0, 0, 0],
  steps: Array.from({ length: steps }, (_, index) => ({ index, at: index })),
})
const states = (i: number, steps: number): Float32Array =>
  Float32Array.from({ length: steps * WIDTH }, (_, k) => i + k / 7)

function written(steps: readonly number[]): string {
  const path = fresh()
  const file = openStateFile(path, WIDTH)
  steps.forEach((n, i) => void file.add(row(i, n), states(i, n)))
  file.close()
  return path
}

/** How many of the rows, from the first on, a file has; every one it has is right. */
function rowsIn(path: string, steps: readonly number[]): number {
  const file = openStateFile(path, WIDTH)
  const have = steps.map((n, i) => {
    const got = file.get(row(i, n))
    if (got) assert.deepEqual(Float32Array.from(got.flatMap(state => [...state])), states(i, n))
    return got !== null
  })
  file.close()
  const whole = have.filter(Boolean).length
  assert.deepEqual(
    have,
    have.map((_, i) => i < whole),
  )
  assert.equal(file.rows, whole)
  return whole
}

test('rows are found by tokens, channels and places of steps, and by nothing else', () => {
  const file = openStateFile(written([2, 1]), WIDTH)
  const known = row(0, 2)
  assert.deepEqual(file.get({ ...known, tokens: [...known.tokens] })?.length, 2)
  assert.equal(file.get({ ...known, tokens: [7, 5, 9] }), null)
  assert.equal(file.get({ ...known, slots: [0, 1, 0] }), null)
  assert.equal(file.get({ ...known, flags: [0, 0, 2] }), null)
  assert.equal(file.get({ ...known, steps: [{ index: 0, at: 1 }] }), null)
  file.close()
})

test('a row is written once, and states of another size are refused', () => {
  const path = fresh()
  const file = openStateFile(path, WIDTH)
  file.add(row(0, 2), states(0, 2))
  const size = statSync(path).size
  file.add(row(0, 2), states(0, 2))
  assert.equal(statSync(path).size, size)
  assert.throws(() => file.add(row(1, 2), states(1, 1)), RangeError)
  file.close()
})

test('a file cut anywhere has the whole rows before the cut, and goes on', () => {
  const stepsOf = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(stepsOf, fc.double({ min: 0, max: 1, noNaN: true }), (steps, share) => {
      const path = written(steps)
      const bytes = readFileSync(path)
      const cut = Math.floor(share * bytes.length)
      const torn = fresh()
      copyFileSync(path, torn)
      writeFileSync(torn, bytes.subarray(0, cut))
      const whole = rowsIn(torn, steps)
      assert.ok(whole === steps.length ? cut === bytes.length : cut < bytes.length)
      const file = openStateFile(torn, WIDTH)
      steps.forEach((n, i) => void file.add(row(i, n), states(i, n)))
      file.close()
      assert.deepEqual(readFileSync(torn), bytes)
    }),
    { numRuns: 40 },
  )
})

test('a changed byte costs its row and those after it, and is never read as a state', () => {
  const steps = [1, 2, 1]
  const path = written(steps)
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.length; at += 5) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    const copy = fresh()
    writeFileSync(copy, changed)
    assert.ok(rowsIn(copy, steps) < steps.length, `byte ${at}`)
  }
})
