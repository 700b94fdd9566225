// Words that turn a statement round, by the operator that swaps them. Knows no text.

/** Pairs `a b` in both directions, `a > b` one way. */
function pairs(list: string): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>()
  for (const entry of list.split(',')) {
    const [a = '', b = ''] = entry.trim().split(/ > | /)
    map.set(a, [...(map.get(a) ?? []), b])
    if (!entry.includes('>')) map.set(b, [...(map.get(b) ?? []), a])
  }
  return map
}

/** Comparison and order words. */
export const SWAPS = pairs(
  'more fewer, less > more, first second, first last, before after, older younger, longer shorter, higher lower, increases decreases, increase decrease, increased decreased, greater smaller, larger smaller, largest smallest, greatest smallest, maximum minimum, most > least, least > most, gains loses, gained lost, buys sells, bought sold, gives gets, above below, inside outside, top bottom, numerator denominator, twice half, double half, left > gone, earlier later, wider narrower, faster slower, add subtract, adding subtracting, multiply divide, multiplying dividing',
)

/** General claims: quantifiers, properties, negations of like length. */
export const CLAIM_SWAPS = pairs(
  'always never, even odd, positive negative, prime composite, true false, possible impossible, rational irrational, parallel perpendicular, increasing decreasing, equal unequal, can cannot, finite infinite, convex concave, acute obtuse, real complex, sum product, difference sum, sine cosine, area perimeter, radius diameter, mean median, horizontal vertical',
)

/** Units and kinds of things. */
export const UNIT_SWAPS = pairs(
  'dollars cents, hours minutes, hour minute, minutes seconds, days weeks, weeks months, miles meters, meters centimeters, feet inches, kilograms grams, pounds ounces, liters gallons, percent > times',
)

/** Words that open sentences with a capital and are no names. */
export const PLAIN_WORDS: ReadonlySet<string> = new Set(
  'the a an if in on at of for to from by with and or but so then when while after before each every all both some one two three four five six seven eight nine ten there this that these those it he she they we you his her their its how many much what which who find each given let since because however therefore thus first second third next last now later today yesterday tomorrow monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december half twice everyone once suppose assume compute determine calculate as is are was were has have had does do did will would can could not no only also another other most more less fewer making buying out during between until such starting'.split(
    ' ',
  ),
)
