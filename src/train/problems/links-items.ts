// What can happen next to things one person owns: given, lost, found, packed, sold. Knows no opening.
import { CONTAINERS } from './pools.ts'
import { addend, divisor, fraction, type Link, portion } from './story.ts'
import { end, items, money } from './tails.ts'

const MOST = 400

/** Continuations of `items` that stay with the owner. */
export const ITEM_LINKS: readonly Link[] = [
  {
    name: 'give',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${who.name} gives ${k} ${noun} to ${friend.name}.`,
        `Then ${friend.name} gets ${k} of the ${noun} from ${who.name}.`,
        `After that ${who.name} hands ${k} of ${who.his} ${noun} to ${friend.name}.`,
      )
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `That leaves ${who.name} with {} ${noun}.`,
        `After giving some to ${friend.name}, ${who.name} has {} ${noun} left.`,
        `${who.name} keeps {} ${noun}.`,
      )
      return items(rest, who, noun)
    },
  },
  {
    name: 'lose',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(
        `On the way home ${who.name} loses ${k} of them.`,
        `Sadly, ${k} of the ${noun} get lost.`,
        `${who.name} leaves ${k} of the ${noun} on a bench and never finds them again.`,
      )
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `${who.name} still has {} ${noun}.`,
        `So {} ${noun} remain.`,
        `Without the lost ones there are {} ${noun}.`,
      )
      return items(rest, who, noun)
    },
  },
  {
    name: 'get',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      const friend = s.person()
      s.say(
        `${friend.name} gives ${who.name} another ${k} ${noun}.`,
        `The next day ${who.name} gets ${k} more ${noun}.`,
        `Later ${who.name} finds ${k} more ${noun} in a drawer.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `Now ${who.name} has {} ${noun}.`,
        `With the new ones that makes {} ${noun}.`,
        `Adding them, ${who.name} has {} ${noun}.`,
      )
      return items(sum, who, noun)
    },
  },
  {
    name: 'give-fraction',
    on: 'items',
    steps: 2,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 2, 5)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${who.name} gives ${fraction(k)} of the ${noun} to ${friend.name}.`,
        `Then ${fraction(k)} of the ${noun} go to ${friend.name}.`,
        `${who.name} lets ${friend.name} have ${fraction(k)} of them.`,
      )
      const share = s.step(
        '/',
        at,
        s.given(k),
        `${friend.name} gets {} ${noun}.`,
        `The share given away is {} ${noun}.`,
      )
      const rest = s.step(
        '-',
        at,
        share,
        `So ${who.name} is left with {} ${noun}.`,
        `${who.name} keeps {} ${noun}.`,
        `That leaves {} ${noun}.`,
      )
      return items(rest, who, noun)
    },
  },
  {
    name: 'keep-fraction',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 2, 6)
      if (k === null) return null
      s.say(
        `In the end ${who.name} keeps only ${fraction(k)} of the ${noun}.`,
        `Only ${fraction(k)} of the ${noun} turn out to be good, and ${who.name} throws the rest away.`,
      )
      const rest = s.step('/', at, s.given(k), `${who.name} keeps {} ${noun}.`, `So {} ${noun} are left.`)
      return items(rest, who, noun)
    },
  },
  {
    name: 'pack',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 3, 12)
      if (k === null) return null
      const box = s.fresh(CONTAINERS)
      s.say(
        `${who.name} packs all of them, ${k} to a ${box.one}.`,
        `Then ${who.name} puts the ${noun} into ${box.many} of ${k} each.`,
      )
      const count = s.step(
        '/',
        at,
        s.given(k),
        `${who.name} fills {} ${box.many}.`,
        `That takes {} ${box.many}.`,
      )
      return items(count, who, box.many)
    },
  },
  {
    name: 'sell',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const price = s.rng.int(2, 9)
      if (at.value * price > MOST) return null
      s.say(
        `${who.name} sells all of them for $${price} each.`,
        `At a price of $${price} apiece, ${who.name} sells the ${noun}, every one of them.`,
      )
      const total = s.step(
        '*',
        at,
        s.given(price),
        `The sale brings in {} dollars.`,
        `${who.name} gets {} dollars for them.`,
      )
      return money(total, who)
    },
  },
  {
    name: 'days',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 2, 9)
      if (k === null || s.left() > 1) return null
      s.say(
        `From then on ${who.name} uses ${k} of the ${noun} every day.`,
        `${who.name} then gives away ${k} ${noun} a day until none are left.`,
      )
      const days = s.step(
        '/',
        at,
        s.given(k),
        `They last for {} days.`,
        `The ${noun} are gone after {} days.`,
      )
      return end(
        days,
        who,
        'days',
        `For how many days do the ${noun} last?`,
        `After how many days are none left?`,
      )
    },
  },
]
