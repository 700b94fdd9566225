// What can happen next to money somebody holds. Knows no opening.
import { percentStep, rateFor } from './percent.ts'
import { GOODS, WISHES } from './pools.ts'
import { addend, cap, divisor, fraction, type Link, portion, show, times } from './story.ts'
import { end, money } from './tails.ts'

const MOST = 600

/** Continuations of `money`. */
export const MONEY_LINKS: readonly Link[] = [
  {
    name: 'spend',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const good = s.fresh(WISHES)
      s.say(
        `${who.name} spends $${k} on a used ${good.one}.`,
        `Then ${who.name} pays $${k} for an old ${good.one}.`,
        `A used ${good.one} for $${k} is the next thing ${who.name} buys.`,
      )
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `${who.name} has {} dollars left.`,
        `After that, {} dollars remain.`,
      )
      return money(rest, who)
    },
  },
  {
    name: 'spend-many',
    on: 'money',
    steps: 2,
    apply(s, { at, who }) {
      const good = s.fresh(GOODS.filter(g => g.high < 10))
      const n = s.rng.int(2, 8)
      const price = s.rng.int(2, 9)
      if (n * price > at.value - 2) return null
      s.say(
        `${who.name} then buys ${n} ${good.many} at $${price} each.`,
        `With that money ${who.name} pays for ${n} ${good.many} that cost $${price} each.`,
      )
      const total = s.step(
        '*',
        s.given(n),
        s.given(price),
        `The ${good.many} cost {} dollars.`,
        `${who.name} pays {} dollars for the ${good.many}.`,
      )
      const rest = s.step('-', at, total, `${who.name} has {} dollars left.`, `So {} dollars remain.`)
      return money(rest, who)
    },
  },
  {
    name: 'earn-more',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      const k = addend(s.rng, at.value)
      s.say(
        `${who.name} also gets $${k} from ${who.his} aunt.`,
        `On top of that ${who.name} finds $${k} in an old coat.`,
        `For ${who.his} birthday ${who.name} is given another $${k}.`,
      )
      const sum = s.step('+', at, s.given(k), `Now ${who.name} has {} dollars.`, `That makes {} dollars.`)
      return money(sum, who)
    },
  },
  {
    name: 'save-fraction',
    on: 'money',
    steps: 2,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 2, 5)
      if (k === null) return null
      s.say(
        `${who.name} puts ${fraction(k)} of the money in the bank and keeps the rest.`,
        `${who.name} gives ${fraction(k)} of it to charity.`,
      )
      const part = s.step(
        '/',
        at,
        s.given(k),
        `That part is {} dollars.`,
        `${cap(fraction(k))} of it is {} dollars.`,
      )
      const rest = s.step(
        '-',
        at,
        part,
        `${who.name} has {} dollars left.`,
        `So ${who.name} keeps {} dollars.`,
      )
      return money(rest, who)
    },
  },
  {
    name: 'spend-percent',
    on: 'money',
    steps: 2,
    apply(s, { at, who }) {
      const rate = rateFor(s, at.value)
      if (rate === null) return null
      s.say(
        `${who.name} pays ${rate}% of it in tax.`,
        `${who.name} spends ${rate} percent of the money on food.`,
      )
      const part = percentStep(
        s,
        at,
        rate,
        `${rate} percent of it is {} dollars.`,
        `That costs ${who.name} {} dollars.`,
      )
      const rest = s.step('-', at, part, `${who.name} has {} dollars left.`, `So {} dollars are left.`)
      return money(rest, who)
    },
  },
  {
    name: 'split-money',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 2, 6)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${who.name} divides the money evenly among ${k} cousins, and ${friend.name} is one of them.`,
        `The money is split equally between ${k} people; ${friend.name} is one of these people.`,
      )
      const share = s.step(
        '/',
        at,
        s.given(k),
        `Each one gets {} dollars.`,
        `${friend.name} receives {} dollars.`,
      )
      return money(share, friend)
    },
  },
  {
    name: 'friend-times-money',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 4)
      if (at.value * k > MOST) return null
      const friend = s.person()
      s.say(
        `${friend.name} has ${times(k)} as much money as ${who.name}.`,
        `At that time ${friend.name} has ${times(k)} as much.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `${friend.name} has {} dollars.`,
        `So that is {} dollars for ${friend.name}.`,
      )
      return money(sum, friend)
    },
  },
  {
    name: 'friend-less-money',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${friend.name} has $${k} less than ${who.name}.`,
        `${who.name} has $${k} more than ${friend.name}.`,
      )
      const sum = s.step(
        '-',
        at,
        s.given(k),
        `${friend.name} has {} dollars.`,
        `So ${friend.name} owns {} dollars.`,
      )
      return money(sum, friend)
    },
  },
  {
    name: 'wish',
    on: 'money',
    steps: 1,
    apply(s, { at, who }) {
      if (s.left() > 1) return null
      const good = s.fresh(WISHES)
      const k = addend(s.rng, at.value)
      const price = at.value + k
      s.say(
        `${cap(who.he)} wants to buy a ${good.one} that costs $${show(price)}.`,
        `The ${good.one} ${who.name} dreams of costs $${show(price)}.`,
      )
      const missing = s.step(
        '-',
        s.given(price),
        at,
        `${who.name} still needs {} dollars.`,
        `So {} dollars are missing.`,
      )
      return end(
        missing,
        who,
        'dollars',
        `How many more dollars does ${who.name} need?`,
        `How many dollars are still missing?`,
      )
    },
  },
]
