// The tails stories end in, with the ways to ask for each. Knows no story.
import type { Person } from './pools.ts'
import type { Tail } from './story.ts'
import type { Quantity } from './types.ts'

/** `who` has `at` of something. */
export const items = (at: Quantity, who: Person, noun: string): Tail => ({
  kind: 'items',
  at,
  who,
  noun,
  ask: [
    `How many ${noun} does ${who.name} have now?`,
    `How many ${noun} does ${who.name} have in the end?`,
    `Find the number of ${noun} that ${who.name} has now.`,
  ],
})

/** Several people, `who` among them, have `at` of something together. */
export const pool = (at: Quantity, who: Person, noun: string, ...ask: readonly string[]): Tail => ({
  kind: 'pool',
  at,
  who,
  noun,
  ask:
    ask.length > 0 ? ask : [`How many ${noun} do they have now?`, `How many ${noun} are there in the end?`],
})

/** `who` holds `at` dollars. */
export const money = (at: Quantity, who: Person): Tail => ({
  kind: 'money',
  at,
  who,
  noun: 'dollars',
  ask: [
    `How much money, in dollars, does ${who.name} have now?`,
    `How many dollars does ${who.name} have in the end?`,
    `How many dollars is that for ${who.name} in the end?`,
  ],
})

/** `who` has to pay `at` dollars. */
export const cost = (at: Quantity, who: Person): Tail => ({
  kind: 'cost',
  at,
  who,
  noun: 'dollars',
  ask: [
    `How many dollars does ${who.name} pay?`,
    `How much does ${who.name} have to pay, in dollars?`,
    `What is the price for ${who.name} in the end, in dollars?`,
  ],
})

/** `who` is busy for `at` minutes. */
export const minutes = (at: Quantity, who: Person, ...ask: readonly string[]): Tail => ({
  kind: 'minutes',
  at,
  who,
  noun: 'minutes',
  ask:
    ask.length > 0
      ? ask
      : [
          `How many minutes does it take ${who.name} in all?`,
          `How many minutes is ${who.name} busy altogether?`,
        ],
})

/** `who` travels `at` miles. */
export const miles = (at: Quantity, who: Person): Tail => ({
  kind: 'miles',
  at,
  who,
  noun: 'miles',
  ask: [
    `How many miles does ${who.name} travel in all?`,
    `How far does ${who.name} go altogether, in miles?`,
    `What distance does ${who.name} cover in total, in miles?`,
  ],
})

/** `at` people belong to, or sit in, the place named by `noun`. */
export const people = (at: Quantity, who: Person, noun: string): Tail => ({
  kind: 'people',
  at,
  who,
  noun,
  ask: [
    `How many people are there in the ${noun} now?`,
    `How many people does the ${noun} have in the end?`,
    `What is the number of people in the ${noun} now?`,
  ],
})

/** `who` is `at` years old. */
export const age = (at: Quantity, who: Person): Tail => ({
  kind: 'age',
  at,
  who,
  noun: 'years',
  ask: [`How old is ${who.name}?`, `What is the age of ${who.name}?`, `How many years old is ${who.name}?`],
})

/** `who` scored `at` points. */
export const points = (at: Quantity, who: Person): Tail => ({
  kind: 'points',
  at,
  who,
  noun: 'points',
  ask: [`How many points is that for ${who.name}?`, `How many points does ${who.name} get?`],
})

/** `who` needs `at` of something. */
export const need = (at: Quantity, who: Person, noun: string): Tail => ({
  kind: 'need',
  at,
  who,
  noun,
  ask: [
    `How many ${noun} does ${who.name} need?`,
    `How many ${noun} does ${who.name} still need?`,
    `Find the number of ${noun} that ${who.name} needs.`,
  ],
})

/** `who` grows `at` plants. */
export const plants = (at: Quantity, who: Person, noun: string, ...ask: readonly string[]): Tail => ({
  kind: 'plants',
  at,
  who,
  noun,
  ask: ask.length > 0 ? ask : [`How many ${noun} are there?`, `How many ${noun} does ${who.name} have?`],
})

/** The place named by `noun`, kept by `who`, has `at` square meters. */
export const area = (at: Quantity, who: Person, noun: string, ...ask: readonly string[]): Tail => ({
  kind: 'area',
  at,
  who,
  noun,
  ask:
    ask.length > 0
      ? ask
      : [
          `What is the area of the ${noun}, in square meters?`,
          `How many square meters does the ${noun} have?`,
        ],
})

/** The vehicle named by `noun`, driven by `who`, carries `at` kilograms. */
export const load = (at: Quantity, who: Person, noun: string): Tail => ({
  kind: 'load',
  at,
  who,
  noun,
  ask: [`How many kilograms does the ${noun} carry now?`, `How heavy is the load now, in kilograms?`],
})

/** `who` has `at` cents. */
export const cents = (at: Quantity, who: Person): Tail => ({
  kind: 'cents',
  at,
  who,
  noun: 'cents',
  ask: [`How many cents does ${who.name} have now?`, `How many cents does ${who.name} have in the end?`],
})

/** A story that cannot go on. */
export const end = (at: Quantity, who: Person, noun: string, ...ask: readonly string[]): Tail => ({
  kind: 'end',
  at,
  who,
  noun,
  ask,
})
