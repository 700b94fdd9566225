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
  /** Row lengths in tokens, ascending; a longer unit is left out, and one with more steps than a batch has places for. */
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

interface Deck {
  deal(): Unit
  /** Whether all were dealt: the next that is dealt comes a second time. */
  isOut(): boolean
  /** Puts a unit back: it is dealt next. */
  putBack(unit: Unit): void
}

/** A deck deals every unit once, shuffled, before it deals any twice. */
function createDeck(units: readonly Unit[], rng: Rng): Deck {
  let deck: Unit[] = []
  return {
    deal() {
      if (deck.length === 0) deck = rng.shuffle(units)
      return deck.pop()!
    },
    isOut: () => deck.length === 0,
    putBack: unit => void deck.push(unit),
  }
}

const stepsOf = (unit: Unit): number => unit.rows.reduce((sum, { row }) => sum + row.steps.length, 0)

/**
 * Units for one batch: as many as its rows and step places hold, fewer where the deck runs out, so that none is in it twice. The first that does
 * not fit opens the next batch.
 */
function fillBatch({ deal, isOut, putBack }: Deck, shape: BatchShape): Unit[] {
  const units: Unit[] = []
  let [rows, steps] = [0, 0]
  do {
    const unit = deal()
    rows += unit.rows.length
    steps += stepsOf(unit)
    if (rows > shape.rows || steps > shape.steps) {
      putBack(unit)
      break
    }
    units.push(unit)
  } while (rows < shape.rows && !isOut())
  return units
}

interface Bucket {
  readonly length: number
  readonly shape: BatchShape
  readonly units: readonly Unit[]
  /** Batches in which its units are dealt once, about: the last is as full as may be. */
  readonly batches: number
}

/** The buckets of a pool that have units. */
function filledBuckets({ units }: Pool, options: BucketOptions): Bucket[] {
  const buckets = options.lengths.map((length, i): Bucket => {
    const shorter = options.lengths[i - 1] ?? 0
    const shape = bucketShape(length, options)
    const fitting = units.filter(
      unit => unit.length <= length && unit.length > shorter && stepsOf(unit) <= shape.steps,
    )
    const rows = fitting.reduce((sum, unit) => sum + unit.rows.length, 0)
    return { length, shape, units: fitting, batches: Math.ceil(rows / shape.rows) }
  })
  return buckets.filter(bucket => bucket.units.length > 0)
}

/**
 * Batches of `createSampler` until the units of the pool that comes round first were dealt `passes` times, about: more teach it by heart.
 * 0 where every pool is empty.
 */
export function batchesOfPasses(pools: readonly Pool[], options: BucketOptions, passes: number): number {
  const rounds = pools.flatMap(pool => {
    const batches = filledBuckets(pool, options).reduce((sum, bucket) => sum + bucket.batches, 0)
    return batches === 0 ? [] : [batches / pool.share]
  })
  return rounds.length === 0 ? 0 : Math.max(1, Math.round(passes * Math.min(...rounds)))
}

/**
 * An endless, seeded source of batches. Buckets of a pool are drawn in proportion to the batches that their units take. What it draws depends on
 * pools, options and seed alone, so drawing n batches again brings it where it was after n.
 */
export function createSampler(pools: readonly Pool[], options: BucketOptions, rng: Rng): () => Drawn {
  const tables = pools
    .map(pool => ({
      share: pool.share,
      buckets: filledBuckets(pool, options).map(bucket => ({
        ...bucket,
        deck: createDeck(bucket.units, rng.fork(`${pool.name}:${bucket.length}`)),
      })),
    }))
    .filter(table => table.buckets.length > 0)
  if (tables.length === 0) throw new Error('there is nothing to train on: every pool is empty')
  return () => {
    const table = tables[rng.weighted(tables.map(t => t.share))]!
    const { deck, shape } = table.buckets[rng.weighted(table.buckets.map(b => b.batches))]!
    return { shape, units: fillBatch(deck, shape) }
  }
}
