// The minimiser ends where the gradient is as short as asked, and no weak ridge makes it end far from the minimum.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minimise, type Objective } from '../../src/train/minimise.ts'
import { dot } from '../../src/train/numeric.ts'

const AT = Float64Array.of(3, -2, 0.5, 4)

/** A bowl around `AT`, in its last direction a thousand times as steep as in its first. */
const bowl =
  (ridge: number): Objective =>
  (x, gradient) => {
    const steep = x.map((_, j) => ridge * 10 ** j)
    for (let j = 0; j < x.length; j++) gradient[j] = steep[j]! * (x[j]! - AT[j]!)
    return x.reduce((sum, v, j) => sum + (steep[j]! / 2) * (v - AT[j]!) ** 2, 0)
  }

function reached(ridge: number, enough?: number) {
  const x = minimise(bowl(ridge), new Float64Array(AT.length), enough)
  const gradient = new Float64Array(AT.length)
  bowl(ridge)(x, gradient)
  return { away: Math.hypot(...x.map((v, j) => v - AT[j]!)), gradient: Math.sqrt(dot(gradient, gradient)) }
}

for (const ridge of [0.1, 1, 100])
  test(`with a ridge of ${ridge} the minimum is found to a thousandth`, () => {
    const { away, gradient } = reached(ridge)
    assert.ok(gradient <= 1e-4 && away <= 1e-3, `${gradient}, ${away}`)
  })

test('a weak ridge asks for a shorter gradient, and one that is asked for is reached', () => {
  assert.ok(reached(1e-5).away > 1)
  const { away, gradient } = reached(1e-5, 1e-8)
  assert.ok(gradient <= 1e-8 && away <= 1e-3, `${gradient}, ${away}`)
})
