// Dropout whose masks come from two short random vectors a place, which the batch brings: the same vectors, the same masks, on
// every engine. Knows no seed and no step.
import * as tf from '@tensorflow/tfjs'
import type { ModelConfig } from './config.ts'

type T = tf.Tensor

/** Places where values are dropped: the embedding, and what each block's attention and MLP add to the residual. */
export const dropoutPlaces = (config: ModelConfig): number => 1 + 2 * config.layers

/** Vectors of a batch: one number a row of hidden states and one a column, for each place, in [64, 128). */
export const dropoutSpecs = (
  config: ModelConfig,
  { rows, length }: { readonly rows: number; readonly length: number },
) =>
  ({
    drop_rows: { shape: [dropoutPlaces(config), rows * length], dtype: 'float32' },
    drop_columns: { shape: [dropoutPlaces(config), config.width], dtype: 'float32' },
  }) as const

/** Drops values of x [rows, width] at a place. */
export type Drop = (x: T, place: number) => T

/**
 * Drops a share `rate` of all values and scales the others by 1 / (1 - rate) (Srivastava et al. 2014, JMLR 15). An element's
 * chance is the fraction of row number · column number: exact in float32 wherever it is computed, which sines or hashes are not.
 */
export function dropout(batch: Readonly<Record<string, T>>, rate: number): Drop {
  return (x, place) => {
    const [rows, columns] = x.shape as [number, number]
    const row = tf.reshape(tf.slice(batch['drop_rows']!, [place, 0], [1, rows]), [rows, 1])
    const product = tf.mul(row, tf.slice(batch['drop_columns']!, [place, 0], [1, columns]))
    const chance = tf.sub(product, tf.floor(product))
    const kept = tf.cast(tf.greaterEqual(chance, tf.scalar(rate)), 'float32')
    return tf.mul(x, tf.mul(kept, tf.scalar(1 / (1 - rate))))
  }
}
