// Reads numbers written as words, to tell whether a number comes from nowhere. Knows no digits.
import { add, mul, type Rational, rational } from './rational.ts'

const TABLE = `one:1 two:2 three:3 four:4 five:5 six:6 seven:7 eight:8 nine:9 ten:10 eleven:11 twelve:12 thirteen:13
  fourteen:14 fifteen:15 sixteen:16 seventeen:17 eighteen:18 nineteen:19 twenty:20 thirty:30 forty:40 fifty:50 sixty:60
  seventy:70 eighty:80 ninety:90 hundred:100 thousand:1000 million:1000000 dozen:12 dozens:12 half:1/2 halves:1/2
  third:1/3 thirds:1/3 quarter:1/4 quarters:1/4 fourth:1/4 fifth:1/5 tenth:1/10 twice:2 double:2 doubled:2 doubles:2
  thrice:3 triple:3 tripled:3 triples:3 quadruple:4 pair:2 pairs:2 couple:2 both:2`

const WORDS: ReadonlyMap<string, Rational> = new Map(
  TABLE.split(/\s+/).map(entry => {
    const [word, n, d] = entry.split(/[:/]/)
    return [word!, rational(BigInt(n!), BigInt(d ?? 1))!]
  }),
)

/** A whole word of the table. */
const NUMBER_WORD = new RegExp(`(?<![a-z])(?:${[...WORDS.keys()].join('|')})(?![a-z])`, 'gi')

/** `twenty-five` is 20 + 5, `two hundred` 2 * 100, `three quarters` 3 * 1/4; null when the two do not combine. */
function combine(before: Rational, value: Rational): Rational | null {
  if (value.d !== 1n || value.n === 12n || value.n >= 100n) return mul(before, value)
  return before.d === 1n && before.n >= 20n && value.n < 10n ? add(before, value) : null
}

/**
 * Values of the number words of a text: `two`, `twenty-five`, `three hundred`, `a dozen`, `half`, `twice`. A compound gives
 * the values of its words and of the whole. Meant for "this number was named", not for arithmetic.
 */
export function readNumberWords(text: string): Rational[] {
  const values: Rational[] = []
  let before: Rational | null = null
  let end = -1
  for (const match of text.matchAll(NUMBER_WORD)) {
    const word = match[0]
    const value = WORDS.get(word.toLowerCase())!
    values.push(value)
    const whole: Rational | null = before !== null && match.index === end + 1 ? combine(before, value) : null
    if (whole !== null) values.push(whole)
    before = whole ?? value
    end = match.index + word.length
  }
  return values
}
