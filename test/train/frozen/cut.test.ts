// The first layers of a base are a base of their own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstLayers } from '../../../src/train/frozen/cut.ts'
import { weightShapes } from '../../../src/train/model/config.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { busyWeights } from '../engine/tiny-model.ts'

test('a cut base has the weights of a model of that many layers and no others', () => {
  const whole = { ...TINY_MODEL, untied: true }
  const weights = busyWeights(whole, createRng('cut'))
  const { config, weights: kept } = firstLayers(whole, weights, 1)
  assert.deepEqual(config, { ...TINY_MODEL, layers: 1 })
  assert.deepEqual(Object.keys(kept).sort(), Object.keys(weightShapes(config)).sort())
  assert.equal(kept['layers.0.q'], weights['layers.0.q'])
  assert.ok(kept['final_norm']!.every(gain => gain === 1))
  for (const layers of [0, 3, 1.5])
    assert.throws(() => firstLayers(whole, weights, layers), /the base has 2 layers/)
})
