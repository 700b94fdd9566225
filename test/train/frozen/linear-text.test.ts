// The linear text path: it learns what states show, held-back steps say how much it counts, and the weights say the same as the fit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FEATURE_NAMES, featureInputs } from '../../../src/critic/features.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import {
  fitLinearText,
  type LabelledState,
  logitWith,
  withLinearText,
} from '../../../src/train/frozen/linear-text.ts'
import { weightShapes } from '../../../src/train/model/config.ts'
import { logitByFeatures } from '../../../src/train/model/feature-logit.ts'
import { stepLogits } from '../../../src/train/model/head.ts'
import { createRng } from '../../../src/train/rng.ts'
import { TINY_MODEL } from '../../fakes/tiny-critic.ts'
import { assertClose } from '../engine/close.ts'
import { busyWeights, float32 } from '../engine/tiny-model.ts'

const WIDTH = TINY_MODEL.width

/** Steps of which places 0 and 1 of the state tell the label as clearly as `signal` says; features tell a little. */
function steps(label: string, count: number, signal: number): LabelledState[] {
  const rng = createRng(label)
  return Array.from({ length: count }, () => {
    const right = rng.uniform() < 0.8
    const side = right ? 1 : -1
    const state = Float32Array.from({ length: WIDTH }, () => 5 + rng.normal())
    state[0]! += signal * side
    state[1]! -= signal * side
    return { state, byFeatures: 0.2 * side + rng.normal(), right }
  })
}

test('text that tells right from wrong gets a share, and orders held-back steps better than features alone', () => {
  const [best, ...others] = fitLinearText(steps('train', 600, 0.7), steps('held', 400, 0.7))
  const alone = others.find(({ share }) => share === 0)!
  assert.ok(best!.share > 0 && best!.auc > alone.auc + 0.1, `${best!.auc} against ${alone.auc}`)
  assert.ok(best!.aloneAuc > 0.75)
  assert.ok(others.every(({ auc }) => auc <= best!.auc))
})

test('text that tells nothing moves no order of held-back steps', () => {
  const [best, ...others] = fitLinearText(steps('train', 600, 0), steps('held', 400, 0))
  const alone = [best!, ...others].find(({ share }) => share === 0)!
  assert.ok(best!.auc - alone.auc < 0.02, `${best!.auc} against ${alone.auc}`)
  assert.ok(Math.abs(best!.aloneAuc - 0.5) < 0.1)
})

test('without right and wrong steps held back nothing is chosen', () => {
  const held = steps('held', 50, 1).filter(({ right }) => right)
  assert.throws(() => fitLinearText(steps('train', 100, 1), held), /held back/)
  assert.throws(() => fitLinearText(held, steps('train', 100, 1)), /both right and wrong/)
})

test('a step head with these weights says of every step what the fit says', async () => {
  const engine = tracedEngine({ threads: 1 })
  const rng = createRng('head')
  const weights = busyWeights(TINY_MODEL, rng)
  const [text] = fitLinearText(steps('train', 300, 0.7), steps('held', 100, 0.7))
  const after = withLinearText(weights, text!)
  const count = 40
  const features = Array.from({ length: count }, () =>
    Float32Array.from(FEATURE_NAMES, () => 9 * rng.uniform()),
  )
  const byFeatures = features.map(values => logitByFeatures(after, featureInputs(values)))
  assert.ok(byFeatures.every(Number.isFinite))
  assert.deepEqual(
    byFeatures,
    features.map(values => logitByFeatures(weights, featureInputs(values))),
  )

  const states = float32([count, WIDTH], () => 5 + 3 * rng.normal())
  const head = Object.entries(weightShapes(TINY_MODEL)).filter(([name]) => name.startsWith('head.'))
  const feeds = {
    ...Object.fromEntries(head.map(([name, shape]) => [name, { data: after[name]!, shape }])),
    ...{ hidden: states, features: float32([count, TINY_MODEL.features], () => 0) },
    step_index: { data: Int32Array.from({ length: count }, (_, i) => i), shape: [count] },
  }
  const specs = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? ('float32' as const) : ('int32' as const) },
    ]),
  )
  const program = await engine.compile(
    x => ({
      both: stepLogits(x, { hidden: x['hidden']!, stepIndex: x['step_index']!, features: x['features']! }),
      alone: stepLogits(x, { stepIndex: x['step_index']!, features: x['features']! }),
    }),
    specs,
  )
  const { both, alone } = await program.run(feeds)
  const want = Float32Array.from({ length: count }, (_, i) =>
    logitWith(text!, {
      state: states.data.subarray(i * WIDTH, (i + 1) * WIDTH) as Float32Array,
      byFeatures: alone!.data[i]!,
    }),
  )
  assertClose(both!, { data: want, shape: [count] }, 'logits')
  assert.notDeepEqual(both, alone)
})
