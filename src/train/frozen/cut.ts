// The first layers of a decoder as one of its own. Knows no data and no step head.
import type { ModelConfig, Weights } from '../model/config.ts'

/** Names of weights of layers from `layers` on. */
const isLater = (name: string, layers: number): boolean =>
  Number(/^layers\.(\d+)\./.exec(name)?.[1] ?? -1) >= layers

/**
 * A decoder that ends after its first `layers` layers, without output table, its last norm with a gain of 1: the gain of the
 * source's belongs to its last layer. Arrays are shared. @throws RangeError unless 1 <= layers <= the source's
 */
export function firstLayers(
  { untied: _, ...config }: ModelConfig,
  weights: Readonly<Weights>,
  layers: number,
): { config: ModelConfig; weights: Weights } {
  if (!Number.isInteger(layers) || layers < 1 || layers > config.layers)
    throw new RangeError(`the base has ${config.layers} layers: the first ${layers} cannot be taken`)
  const kept = Object.entries(weights).filter(([name]) => !isLater(name, layers) && name !== 'output')
  return {
    config: { ...config, layers },
    weights: { ...Object.fromEntries(kept), final_norm: new Float32Array(config.width).fill(1) },
  }
}
