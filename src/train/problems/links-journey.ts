// What can happen next to time spent and distance covered. Knows no opening.
import { CHORES } from './pools.ts'
import { addend, cap, divisor, type Link, portion } from './story.ts'
import { end, miles, minutes, money } from './tails.ts'

const MOST = 600

/** Continuations of `minutes` and `miles`. */
export const JOURNEY_LINKS: readonly Link[] = [
  {
    name: 'break',
    on: 'minutes',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 9) * 5
      const chore = s.fresh(CHORES)
      s.say(
        `After that ${who.name} spends ${k} minutes ${chore}.`,
        `Then ${who.name} rests for ${k} minutes, which counts too.`,
        `${chore.charAt(0).toUpperCase()}${chore.slice(1)} takes ${who.name} another ${k} minutes.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `With that it is {} minutes.`,
        `Altogether that makes {} minutes.`,
      )
      return minutes(sum, who)
    },
  },
  {
    name: 'saved-time',
    on: 'minutes',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, Math.min(at.value, 40))
      if (k === null) return null
      s.say(
        `With some help ${who.name} is done ${k} minutes sooner.`,
        `A good tool saves ${who.name} ${k} of these minutes.`,
      )
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `So it takes {} minutes.`,
        `${who.name} needs only {} minutes.`,
      )
      return minutes(rest, who)
    },
  },
  {
    name: 'daily-time',
    on: 'minutes',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 7)
      if (at.value * k > MOST) return null
      s.say(
        `${who.name} does all this on ${k} days.`,
        `${cap(who.he)} goes through the same routine for ${k} days in a row.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `In ${k} days that is {} minutes.`,
        `All the days together make {} minutes.`,
      )
      return minutes(
        sum,
        who,
        `How many minutes is ${who.name} busy over all the days?`,
        `How many minutes do all the days add up to?`,
      )
    },
  },
  {
    name: 'to-hours',
    on: 'minutes',
    steps: 1,
    apply(s, { at, who }) {
      if (s.left() > 1 || at.value % 60 !== 0 || at.value < 120) return null
      const hours = s.step('/', at, s.given(60), `In hours that is {}.`, `That makes {} hours.`)
      return end(
        hours,
        who,
        'hours',
        `How many hours is that altogether?`,
        `How many hours does it take ${who.name} in all?`,
      )
    },
  },
  {
    name: 'detour',
    on: 'miles',
    steps: 1,
    apply(s, { at, who }) {
      const k = addend(s.rng, at.value)
      s.say(`A detour adds ${k} miles.`, `After a rest ${who.name} goes on for ${k} more miles.`)
      const sum = s.step('+', at, s.given(k), `In all that is {} miles.`, `Now it is {} miles.`)
      return miles(sum, who)
    },
  },
  {
    name: 'round-trip',
    on: 'miles',
    steps: 1,
    apply(s, { at, who }) {
      if (at.value * 2 > MOST) return null
      s.say(
        `Then ${who.name} goes all the way back by the same route.`,
        `${who.name} returns home the way ${who.he} came.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(2),
        `There and back it is {} miles.`,
        `With the way back that makes {} miles.`,
      )
      s.also('+', at, at)
      return miles(sum, who)
    },
  },
  {
    name: 'friend-distance',
    on: 'miles',
    steps: 1,
    apply(s, { at, who }) {
      const friend = s.person()
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const more = s.rng.uniform() < 0.5
      if (more)
        s.say(
          `${friend.name} travels ${k} miles more than ${who.name}.`,
          `The way of ${friend.name} is ${k} miles longer.`,
        )
      else
        s.say(
          `${friend.name} travels ${k} miles less than ${who.name}.`,
          `The way of ${friend.name} is ${k} miles shorter.`,
        )
      const way = s.step(
        more ? '+' : '-',
        at,
        s.given(k),
        `${friend.name} travels {} miles.`,
        `The way of ${friend.name} is {} miles long.`,
      )
      return miles(way, friend)
    },
  },
  {
    name: 'mileage-pay',
    on: 'miles',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 5)
      if (at.value * k > MOST) return null
      s.say(
        `${who.name} is paid $${k} for each mile.`,
        `For every mile ${who.name} collects $${k} for charity.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `That gives ${who.name} {} dollars.`,
        `${who.name} gets {} dollars.`,
      )
      return money(sum, who)
    },
  },
  {
    name: 'per-hour',
    on: 'miles',
    steps: 1,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 3, 60)
      if (k === null || s.left() > 1) return null
      const friend = s.person()
      s.say(
        `${friend.name} covers the same distance at ${k} miles an hour.`,
        `${friend.name} follows ${who.name} all the way, at ${k} miles per hour.`,
      )
      const hours = s.step(
        '/',
        at,
        s.given(k),
        `That takes ${friend.name} {} hours.`,
        `${friend.name} needs {} hours.`,
      )
      return end(
        hours,
        friend,
        'hours',
        `How many hours does ${friend.name} need?`,
        `How many hours is ${friend.name} on the way?`,
      )
    },
  },
]
