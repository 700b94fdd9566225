// What can happen next to a price to pay. Knows no opening.
import { percentStep, rateFor } from './percent.ts'
import { cap, divisor, type Link, portion } from './story.ts'
import { cost, money } from './tails.ts'

/** Continuations of `cost`. */
export const COST_LINKS: readonly Link[] = [
  {
    name: 'coupon',
    on: 'cost',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, Math.min(at.value, 40))
      if (k === null) return null
      s.say(`${who.name} has a coupon for $${k} off.`, `At the till ${k} dollars are taken off the bill.`)
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `With the coupon taken off it is {} dollars.`,
        `${who.name} now pays {} dollars.`,
      )
      return cost(rest, who)
    },
  },
  {
    name: 'fee',
    on: 'cost',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 15)
      s.say(
        `Delivery costs $${k} more.`,
        `${who.name} also pays a fee of $${k}.`,
        `Wrapping everything adds $${k} to the bill.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `With that the bill is {} dollars.`,
        `So the price goes up to {} dollars.`,
      )
      return cost(sum, who)
    },
  },
  {
    name: 'discount',
    on: 'cost',
    steps: 2,
    apply(s, { at, who }) {
      const rate = rateFor(s, at.value)
      if (rate === null) return null
      s.say(
        `There is ${rate}% off on everything that day.`,
        `${who.name} gets a discount of ${rate} percent on the whole bill.`,
      )
      const off = percentStep(
        s,
        at,
        rate,
        `The discount is {} dollars.`,
        `${rate} percent of the bill is {} dollars.`,
      )
      s.also('-', s.given(100), s.given(rate))
      const rest = s.step(
        '-',
        at,
        off,
        `${who.name} pays {} dollars.`,
        `So the bill comes down to {} dollars.`,
      )
      return cost(rest, who)
    },
  },
  {
    name: 'change',
    on: 'cost',
    steps: 1,
    apply(s, { at, who }) {
      const bill = [10, 20, 50, 100, 200, 500].find(b => b > at.value + 1)
      if (bill === undefined) return null
      s.say(`${who.name} pays with $${bill}.`, `${cap(who.he)} hands over $${bill} and waits for the change.`)
      const change = s.step(
        '-',
        s.given(bill),
        at,
        `The change is {} dollars.`,
        `${who.name} gets {} dollars back.`,
      )
      return {
        ...money(change, who),
        ask: [
          `How many dollars of change does ${who.name} get?`,
          `How much money does ${who.name} get back, in dollars?`,
        ],
      }
    },
  },
  {
    name: 'split-bill',
    on: 'cost',
    steps: 1,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 2, 6)
      if (k === null) return null
      s.say(
        `${who.name} splits the bill evenly with friends, so that ${k} people pay the same.`,
        `The bill is shared equally by ${k} people, ${who.name} among them.`,
      )
      const share = s.step(
        '/',
        at,
        s.given(k),
        `Each person pays {} dollars.`,
        `The part of ${who.name} is {} dollars.`,
      )
      return cost(share, who)
    },
  },
]
