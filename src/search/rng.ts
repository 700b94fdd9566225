// Seeded chance: a seed for every call by its logical place, and a small generator. Knows no clock and no global state.

const MASK_31 = 0x7fffffff
const WORD = 0x100000000

/** A bijection on 31 bits: odd multiplications and right xor-shifts only, so distinct inputs stay distinct. */
function mix31(value: number): number {
  let x = value & MASK_31
  x ^= x >>> 15
  x = Math.imul(x, 0x2c1b3c6d) & MASK_31
  x ^= x >>> 12
  x = Math.imul(x, 0x297a2d39) & MASK_31
  x ^= x >>> 15
  return x
}

/**
 * Seed in [0, 2^31) for the call at `place` of a search with `seed`. 31 bits, because some endpoints read seeds as int32.
 * Places that differ in their last index only never share a seed, so siblings always differ.
 *
 * @param seed any integer a double holds exactly
 * @param place logical indices of the call (candidate, step, attempt …), never its order of arrival
 */
export function seedFor(seed: number, place: readonly number[]): number {
  let state = mix31((seed % WORD) | 0)
  state = mix31(state + Math.floor(seed / WORD))
  // The length goes in first, so that [1] and [1, 0] are different places.
  state = mix31(state + place.length)
  for (const index of place) state = mix31(state + index)
  return state
}

/** Makes a generator of numbers in [0, 1), the same sequence for the same seed (a Weyl sequence, mixed). */
export function createRng(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let x = state ^ (state >>> 16)
    x = Math.imul(x, 0x21f0aaad)
    x ^= x >>> 15
    x = Math.imul(x, 0x735a2d97)
    x ^= x >>> 15
    return (x >>> 0) / WORD
  }
}
