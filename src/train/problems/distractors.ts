// Sentences with a number that nobody needs. Knows no story.
import { type Person, SHOPS } from './pools.ts'
import type { Story } from './story.ts'

/** One sentence about `who` or the day; its number has nothing to do with the question. Never about age in an age story. */
export function distractor(s: Story, who: Person, kind: string): string {
  const n = s.rng.int(3, 40)
  const place = s.fresh(SHOPS)
  const variants = [
    `There are ${n} steps up to the house of ${who.name}.`,
    `It is ${s.rng.int(12, 35)} degrees outside.`,
    `The ${place} is in a street with ${n} houses.`,
    `${who.name} has ${s.rng.int(2, 9)} cousins.`,
    `That day ${who.name} got up at ${s.rng.int(5, 9)} in the morning.`,
    `${who.name} lives in house number ${n}.`,
    `The radio plays ${n} songs meanwhile.`,
    `The ${place} opened ${n} years ago.`,
    `${who.name} takes bus number ${n} that day.`,
    `There are ${n} pigeons on the roof.`,
  ]
  if (kind !== 'ages') variants.push(`${who.name} is ${s.rng.int(7, 60)} years old.`)
  return s.rng.pick(variants)
}
