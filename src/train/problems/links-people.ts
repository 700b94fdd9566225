// What can happen next to groups of people, ages and scores. Knows no opening.
import { addend, divisor, fraction, type Link, portion, times } from './story.ts'
import { age, end, money, people, points } from './tails.ts'

const MOST = 600

/** Continuations of `people`, `age` and `points`. */
export const PEOPLE_LINKS: readonly Link[] = [
  {
    name: 'join',
    on: 'people',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      s.say(
        `Then ${k} new people come to the ${noun}.`,
        `A little later ${k} more people join.`,
        `The ${noun} takes in ${k} more people.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `Now there are {} people in the ${noun}.`,
        `The ${noun} then has {} people.`,
      )
      return people(sum, who, noun)
    },
  },
  {
    name: 'leave',
    on: 'people',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`After some time ${k} people leave.`, `Of these people, ${k} go away again.`)
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `That leaves {} people in the ${noun}.`,
        `Then {} people remain.`,
      )
      return people(rest, who, noun)
    },
  },
  {
    name: 'leave-fraction',
    on: 'people',
    steps: 2,
    apply(s, { at, who, noun }) {
      const k = divisor(s.rng, at.value, 2, 5)
      if (k === null) return null
      s.say(`Then ${fraction(k)} of the people leave.`, `After a while ${fraction(k)} of them go home.`)
      const part = s.step('/', at, s.given(k), `The number of people who go is {}.`, `So {} people leave.`)
      const rest = s.step('-', at, part, `So {} people stay.`, `There are {} people left in the ${noun}.`)
      return people(rest, who, noun)
    },
  },
  {
    name: 'teams',
    on: 'people',
    steps: 1,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 3, 9)
      if (k === null || s.left() > 1) return null
      s.say(
        `All of them form groups of ${k}.`,
        `They are then seated at tables, ${k} at each table, until all have a seat.`,
      )
      const count = s.step('/', at, s.given(k), `The number of groups is {}.`, `They make {} groups.`)
      return end(count, who, 'groups', `How many such groups are there?`, `How many groups do they make?`)
    },
  },
  {
    name: 'fares',
    on: 'people',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 9)
      if (at.value * k > MOST) return null
      s.say(`Each of them pays $${k} to ${who.name}.`, `${who.name} collects $${k} from every person there.`)
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `They pay {} dollars in all.`,
        `${who.name} collects {} dollars.`,
      )
      return money(sum, who)
    },
  },
  {
    name: 'older',
    on: 'age',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 25)
      const friend = s.person()
      s.say(
        `${friend.name} is ${k} years older than ${who.name}.`,
        `${who.name} is ${k} years younger than ${friend.name}.`,
      )
      const years = s.step(
        '+',
        at,
        s.given(k),
        `${friend.name} is {} years old.`,
        `So the age of ${friend.name} is {}.`,
      )
      return age(years, friend)
    },
  },
  {
    name: 'younger',
    on: 'age',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, Math.min(at.value, 30))
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${friend.name} is ${k} years younger than ${who.name}.`,
        `${who.name} is ${k} years older than ${friend.name}.`,
      )
      const years = s.step(
        '-',
        at,
        s.given(k),
        `${friend.name} is {} years old.`,
        `So the age of ${friend.name} is {}.`,
      )
      return age(years, friend)
    },
  },
  {
    name: 'times-as-old',
    on: 'age',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 4)
      if (at.value * k > 96) return null
      const friend = s.person()
      s.say(
        `${friend.name} is ${times(k)} as old as ${who.name}.`,
        `The age of ${friend.name} is ${times(k)} that of ${who.name}.`,
      )
      const years = s.step(
        '*',
        at,
        s.given(k),
        `${friend.name} is {} years old.`,
        `The age of ${friend.name} is {}.`,
      )
      return age(years, friend)
    },
  },
  {
    name: 'half-as-old',
    on: 'age',
    steps: 1,
    apply(s, { at, who }) {
      const k = divisor(s.rng, at.value, 2, 4)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${friend.name} is ${fraction(k)} as old as ${who.name}.`,
        `${who.name} is ${times(k)} as old as ${friend.name}.`,
      )
      const years = s.step(
        '/',
        at,
        s.given(k),
        `${friend.name} is {} years old.`,
        `The age of ${friend.name} is {}.`,
      )
      return age(years, friend)
    },
  },
  {
    name: 'later',
    on: 'age',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 20)
      if (s.left() > 1) return null
      const then = s.step(
        '+',
        at,
        s.given(k),
        `In ${k} years ${who.name} will be {}.`,
        `Then ${who.name} will be {} years old.`,
      )
      return end(
        then,
        who,
        'years',
        `How old will ${who.name} be in ${k} years?`,
        `What will be the age of ${who.name} ${k} years from now?`,
      )
    },
  },
  {
    name: 'beats',
    on: 'points',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 30)
      const friend = s.person()
      s.say(
        `${friend.name} gets ${k} points more than that.`,
        `With ${k} points more than ${who.name}, ${friend.name} wins.`,
      )
      const score = s.step(
        '+',
        at,
        s.given(k),
        `${friend.name} gets {} points.`,
        `So ${friend.name} reaches {} points.`,
      )
      return points(score, friend)
    },
  },
  {
    name: 'loses-to',
    on: 'points',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      const friend = s.person()
      s.say(
        `${friend.name} gets ${k} points less than that.`,
        `${friend.name} ends ${k} points behind ${who.name}.`,
      )
      const score = s.step(
        '-',
        at,
        s.given(k),
        `${friend.name} gets {} points.`,
        `So ${friend.name} reaches {} points.`,
      )
      return points(score, friend)
    },
  },
  {
    name: 'rounds',
    on: 'points',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 6)
      if (at.value * k > MOST) return null
      s.say(
        `${who.name} gets the same again in every one of ${k} rounds.`,
        `There are ${k} rounds, and ${who.name} gets that many points in each.`,
      )
      const score = s.step(
        '*',
        at,
        s.given(k),
        `In ${k} rounds that is {} points.`,
        `All rounds together give {} points.`,
      )
      return points(score, who)
    },
  },
]
