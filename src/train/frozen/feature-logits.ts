// What the feature path of a step head says of steps. Knows no trunk and no labels.
import { FEATURE_INPUTS, writeFeatureInputs } from '../../critic/features.ts'
import type { Engine } from '../engine/port.ts'
import type { TensorSpec } from '../engine/trace.ts'
import { type ModelConfig, type Weights, weightShapes } from '../model/config.ts'
import { stepLogits } from '../model/head.ts'

/** Logits of steps from their hand features alone. */
export async function featureLogits(
  engine: Engine,
  config: ModelConfig,
  weights: Readonly<Weights>,
  features: readonly Float32Array[],
): Promise<Float32Array> {
  const steps = features.length
  const inputs = new Float32Array(steps * FEATURE_INPUTS)
  for (const [i, values] of features.entries()) writeFeatureInputs(values, inputs, i * FEATURE_INPUTS)
  const head = Object.entries(weightShapes(config)).filter(([name]) => name.startsWith('head.'))
  const feeds = {
    ...Object.fromEntries(head.map(([name, shape]) => [name, { data: weights[name]!, shape }])),
    features: { data: inputs, shape: [steps, FEATURE_INPUTS] },
    step_index: { data: new Int32Array(steps), shape: [steps] },
  }
  const specs: Record<string, TensorSpec> = Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' },
    ]),
  )
  const program = await engine.compile(
    x => ({ logits: stepLogits(x, { stepIndex: x['step_index']!, features: x['features']! }) }),
    specs,
  )
  const { logits } = await program.run(feeds)
  await program.release()
  return logits!.data as Float32Array
}
