// Draws batches: first a pool by its share, then units of one length bucket from it. Knows no tensors.
import type { Unit } from '../data/units.ts'
import type { BatchShape } from '../model/loss.ts'
import type { Rng } from '../rng.ts'

/** Units of one kind and the share of training tokens they should make up. */
export interface Pool {
  readonly name: string
  readonly units: readonly Unit[]
  readonly share: number
}

export interface BucketOptions {
  /** Row lengths in tokens, ascending; a longer unit is left out. */
  readonly lengths: readonly number[]
  /** Padded tokens in a batch, about. */
  readonly tokens: number
  /** Step places for each 1,000 tokens. */
  readonly stepsPer1000: number
}

export interface Drawn {
  readonly shape: BatchShape
  readonly units: readonly Unit[]
}

/** Size of the batch for a row length. */
export function bucketShape(length: number, { tokens, stepsPer1000 }: BucketOptions): BatchShape {
  const rows = Math.max(2, Math.round(tokens / length / 2) * 2) // even: pairs fill two rows
  return { rows, length, steps: Math.round((rows * length * stepsPer1000) / 1000), pairs: rows >> 1 }
}

/** A deck deals every unit once, shuffled, before it deals any twice. */
function createDeck(units: readonly Unit[], rng: Rng): () => Unit {
  let deck: Unit[] = []
  return () => {
    if (deck.length === 0) deck = rng.shuffle(units)
    return deck.pop()!
  }
}

/** An endless, seeded source of batches. Buckets of a pool are drawn in proportion to their rows. */
export function createSampler(pools: readonly Pool[], options: BucketOptions, rng: Rng): () => Drawn {
  const tables = pools
    .map(pool => {
      const buckets = options.lengths
        .map((length, i) => {
          const shorter = options.lengths[i - 1] ?? 0
          const units = pool.units.filter(unit => unit.length <= length && unit.length > shorter)
          const shape = bucketShape(length, options)
          const rows = units.reduce((sum, unit) => sum + unit.rows.length, 0)
          return {
            units,
            shape,
            batches: rows / shape.rows,
            deal: createDeck(units, rng.fork(`${pool.name}:${length}`)),
          }
        })
        .filter(bucket => bucket.units.length > 0)
      return { share: pool.share, buckets }
    })
    .filter(table => table.buckets.length > 0)
  if (tables.length === 0) throw new Error('there is nothing to train on: every pool is empty')
  return () => {
    const table = tables[rng.weighted(tables.map(t => t.share))]!
    const bucket = table.buckets[rng.weighted(table.buckets.map(b => b.batches))]!
    const units: Unit[] = []
    for (let rows = 0; ; ) {
      const unit = bucket.deal()
      rows += unit.rows.length
      if (rows > bucket.shape.rows) break
      units.push(unit)
      if (rows === bucket.shape.rows) break
    }
    return { shape: bucket.shape, units }
  }
}
