// Seeded chance for everything in train: the same seed gives the same draws on every machine. Knows no clock.

/** One stream of draws. Drawing advances it; `fork` does not. */
export interface Rng {
  /** A number in [0, 1), 53 random bits. */
  uniform(): number
  /** A whole number in [low, high], both ends included. */
  int(low: number, high: number): number
  /** One of `items`, each equally likely. @throws {RangeError} when there are none. */
  pick<T>(items: readonly T[]): T
  /** An index drawn in proportion to `weights` (non-negative, not all zero). */
  weighted(weights: readonly number[]): number
  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[]
  /** Standard normal (Box and Muller). */
  normal(): number
  /** A new stream that depends on this one's seed and the label only, not on how much was drawn from it. */
  fork(label: string): Rng
}

/** 32-bit hash of a text (FNV-1a with the finalizer of MurmurHash3), in [0, 2^32). Not for secrets. */
export function hashText(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A stream for a seed; numbers and texts are both seeds (`createRng(7)` and `createRng('7')` are the same stream). */
export function createRng(seed: number | string): Rng {
  const name = String(seed)
  const next = sfc32(name)
  const uniform = () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000
  const int = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1))
  return {
    uniform,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError('cannot pick from an empty list')
      return items[int(0, items.length - 1)] as T
    },
    weighted(weights) {
      const total = weights.reduce((sum, w) => sum + w, 0)
      if (!(total > 0)) throw new RangeError('the weights must have a positive sum')
      let at = uniform() * total
      for (let i = 0; i < weights.length; i++) {
        at -= weights[i] ?? 0
        if (at < 0) return i
      }
      return weights.findLastIndex(w => w > 0) // rounding left a crumb at the end
    },
    shuffle<T>(items: readonly T[]): T[] {
      const out = items.slice()
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(0, i)
        const held = out[i] as T
        out[i] = out[j] as T
        out[j] = held
      }
      return out
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    fork: label => createRng(`${name}/${label}`),
  }
}

/** The sfc32 generator (Chris Doty-Humphrey, PractRand): 32 random bits a call. */
function sfc32(seed: string): () => number {
  let a = hashText(seed, 1)
  let b = hashText(seed, 2)
  let c = hashText(seed, 3)
  let counter = 1
  const next = () => {
    const out = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + out
    return out >>> 0
  }
  for (let i = 0; i < 12; i++) next() // near seeds start out alike; the first draws part them
  return next
}
