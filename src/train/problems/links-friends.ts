// What can happen next between owners: friends compare, share, put together. Knows no opening.
import { CONTAINERS } from './pools.ts'
import { addend, divisor, type Link, portion, times } from './story.ts'
import { items, pool } from './tails.ts'

const MOST = 400

/** Continuations of `items` that pass to others, and of `pool`. */
export const FRIEND_LINKS: readonly Link[] = [
  {
    name: 'friend-times',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = s.rng.int(2, 5)
      if (at.value * k > MOST) return null
      const friend = s.person()
      s.say(
        `${friend.name} has ${times(k)} as many ${noun} as ${who.name}.`,
        `At that point ${friend.name} owns ${times(k)} as many ${noun} as ${who.name} does.`,
      )
      const count = s.step(
        '*',
        at,
        s.given(k),
        `${friend.name} has {} ${noun}.`,
        `That means {} ${noun} for ${friend.name}.`,
      )
      return items(count, friend, noun)
    },
  },
  {
    name: 'friend-more',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      const friend = s.person()
      s.say(
        `${friend.name} has ${k} more ${noun} than ${who.name}.`,
        `${who.name} has ${k} fewer ${noun} than ${friend.name}.`,
      )
      const count = s.step(
        '+',
        at,
        s.given(k),
        `${friend.name} has {} ${noun}.`,
        `So the number for ${friend.name} is {}.`,
      )
      return items(count, friend, noun)
    },
  },
  {
    name: 'friend-fewer',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${friend.name} has ${k} fewer ${noun} than ${who.name}.`,
        `${who.name} has ${k} more ${noun} than ${friend.name}.`,
      )
      const count = s.step(
        '-',
        at,
        s.given(k),
        `${friend.name} has {} ${noun}.`,
        `So the number for ${friend.name} is {}.`,
      )
      return items(count, friend, noun)
    },
  },
  {
    name: 'together',
    on: 'items',
    steps: 2,
    apply(s, { at, who, noun }) {
      const friend = s.person()
      const k = s.rng.int(2, 4)
      const scaled = s.rng.uniform() < 0.5 && at.value * (k + 1) <= MOST
      const more = addend(s.rng, at.value)
      if (scaled)
        s.say(`${friend.name} has ${times(k)} as many ${noun}.`, `${friend.name} brings ${times(k)} as many.`)
      else
        s.say(
          `${friend.name} has ${more} more than that.`,
          `${friend.name} brings ${more} more ${noun} than ${who.name} has.`,
        )
      const theirs = scaled
        ? s.step(
            '*',
            at,
            s.given(k),
            `${friend.name} has {} ${noun}.`,
            `For ${friend.name} it is {} ${noun}.`,
          )
        : s.step(
            '+',
            at,
            s.given(more),
            `${friend.name} has {} ${noun}.`,
            `For ${friend.name} it is {} ${noun}.`,
          )
      const both = s.step(
        '+',
        at,
        theirs,
        `Together they have {} ${noun}.`,
        `${who.name} and ${friend.name} have {} ${noun} in all.`,
      )
      return pool(
        both,
        who,
        noun,
        `How many ${noun} do they have together?`,
        `How many ${noun} do ${who.name} and ${friend.name} have altogether?`,
      )
    },
  },
  {
    name: 'share-one',
    on: 'items',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 3, 9)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${who.name} shares all of them equally among ${k} children, and ${friend.name} is one of the children.`,
        `${who.name} deals the ${noun} out evenly to ${k} friends. One of the friends is ${friend.name}.`,
      )
      const share = s.step(
        '/',
        at,
        s.given(k),
        `Each child gets {} ${noun}.`,
        `${friend.name} receives {} ${noun}.`,
        `So an equal share is {} ${noun}.`,
      )
      return items(share, friend, noun)
    },
  },
  {
    name: 'pool-give',
    on: 'pool',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(
        `They give ${k} of the ${noun} to a school.`,
        `Of all these ${noun}, ${k} are broken and thrown away.`,
      )
      const rest = s.step('-', at, s.given(k), `They have {} ${noun} left.`, `That leaves {} ${noun}.`)
      return pool(rest, who, noun)
    },
  },
  {
    name: 'pool-pack',
    on: 'pool',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 3, 12)
      if (k === null) return null
      const box = s.fresh(CONTAINERS)
      s.say(
        `They put all of them into ${box.many} of ${k}.`,
        `All the ${noun} are packed, ${k} in each ${box.one}.`,
      )
      const count = s.step('/', at, s.given(k), `They fill {} ${box.many}.`, `So they need {} ${box.many}.`)
      return pool(
        count,
        who,
        box.many,
        `How many ${box.many} do they fill?`,
        `How many ${box.many} are filled?`,
      )
    },
  },
  {
    name: 'pool-share',
    on: 'pool',
    steps: 1,
    apply(s, { at, noun }) {
      const k = divisor(s.rng, at.value, 2, 9)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `They split them evenly between ${k} people, one of whom is ${friend.name}.`,
        `All the ${noun} are shared equally by ${k} people, and ${friend.name} is one of these.`,
      )
      const share = s.step(
        '/',
        at,
        s.given(k),
        `Each person gets {} ${noun}.`,
        `The share of ${friend.name} is {} ${noun}.`,
      )
      return items(share, friend, noun)
    },
  },
  {
    name: 'pool-more',
    on: 'pool',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      const friend = s.person()
      s.say(
        `${friend.name} joins them and brings ${k} more.`,
        `Then ${friend.name} adds ${k} ${noun} of ${friend.his} own.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `With those of ${friend.name} they have {} ${noun}.`,
        `Now there are {} ${noun}.`,
      )
      return pool(sum, who, noun)
    },
  },
]
