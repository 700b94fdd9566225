// Openings about work and the time it takes. Knows no continuation.
import { CHORES, ITEMS } from './pools.ts'
import { type Core, cap } from './story.ts'
import { end, items, minutes } from './tails.ts'

/** Stories about work. */
export const WORK_STORIES: readonly Core[] = [
  {
    kind: 'clock',
    min: 2,
    tell(s) {
      const who = s.person()
      const chore = s.fresh(CHORES)
      const h = s.rng.int(2, 5)
      const m = s.rng.int(2, 11) * 5
      s.say(
        `${who.name} spends ${h} hours and ${m} minutes ${chore}.`,
        `${cap(chore)} takes ${who.name} ${h} hours and ${m} minutes.`,
      )
      const part = s.step(
        '*',
        s.given(h),
        s.given(60),
        `${h} hours are {} minutes.`,
        `The hours make {} minutes.`,
      )
      return minutes(
        s.step(
          '+',
          part,
          s.given(m),
          `In all that is {} minutes.`,
          `With the other minutes it is {} minutes.`,
        ),
        who,
      )
    },
  },
  {
    kind: 'tasks',
    min: 1,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const n = s.rng.int(3, 12)
      const each = s.rng.int(2, 15)
      s.say(
        `${who.name} needs ${each} minutes to make one ${thing.one} and makes ${n} of them.`,
        `Making a ${thing.one} takes ${who.name} ${each} minutes. ${cap(who.he)} makes ${n} ${thing.many}.`,
      )
      return minutes(
        s.step(
          '*',
          s.given(n),
          s.given(each),
          `Making the ${thing.many} takes {} minutes.`,
          `For ${n} ${thing.many} that is {} minutes.`,
        ),
        who,
      )
    },
  },
  {
    kind: 'machine',
    min: 1,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const rate = s.rng.int(4, 30)
      const h = s.rng.int(2, 9)
      const crew = s.rng.int(2, 5)
      const team = s.left() >= 2 && s.rng.uniform() < 0.5 && rate * h * crew <= 600
      s.say(
        `${team ? `${crew} machines` : 'A machine'} of ${who.name} can make ${rate} ${thing.many} an hour${team ? ' each' : ''}.`,
        `In the workshop of ${who.name}, ${team ? `each of ${crew} workers` : 'one worker'} makes ${rate} ${thing.many} per hour.`,
      )
      s.say(
        `Today the work goes on for ${h} hours, and ${who.name} takes everything.`,
        `After ${h} hours ${who.name} collects all the ${thing.many}.`,
      )
      if (!team)
        return items(
          s.step(
            '*',
            s.given(rate),
            s.given(h),
            `In ${h} hours that makes {} ${thing.many}.`,
            `The work gives {} ${thing.many}.`,
          ),
          who,
          thing.many,
        )
      const hourly = s.step(
        '*',
        s.given(crew),
        s.given(rate),
        `Every hour they make {} ${thing.many}.`,
        `Together that is {} ${thing.many} an hour.`,
      )
      return items(
        s.step(
          '*',
          hourly,
          s.given(h),
          `In ${h} hours that makes {} ${thing.many}.`,
          `The work gives {} ${thing.many}.`,
        ),
        who,
        thing.many,
      )
    },
  },
  {
    kind: 'crew',
    min: 2,
    max: 2,
    tell(s) {
      const who = s.person()
      const crew = s.rng.int(2, 9)
      const product = crew * s.rng.int(2, 12)
      const other = [2, 3, 4, 5, 6, 8, 10, 12].filter(
        k => product % k === 0 && k !== crew && product / k >= 2,
      )
      const m = other.length > 0 ? s.rng.pick(other) : 1
      const h = product / crew
      s.say(
        `${crew} workers need ${h} hours to paint the house of ${who.name}. All work equally fast, and now only ${m} ${m === 1 ? 'worker comes' : 'workers come'}.`,
        `To clear the yard of ${who.name}, a team of ${crew} takes ${h} hours. This time the team has ${m} ${m === 1 ? 'person' : 'people'} who work just as fast.`,
      )
      const all = s.step(
        '*',
        s.given(crew),
        s.given(h),
        `The work takes {} hours for one person.`,
        `In all it is {} hours of work.`,
      )
      const took = s.step(
        '/',
        all,
        s.given(m),
        `The smaller or larger team needs {} hours.`,
        `So this time it takes {} hours.`,
      )
      return end(
        took,
        who,
        'hours',
        `How many hours does it take now?`,
        `How many hours are needed this time?`,
      )
    },
  },
  {
    kind: 'book',
    min: 2,
    max: 4,
    tell(s) {
      const who = s.person()
      const daily = s.rng.int(5, 40)
      const days = s.rng.int(2, 7)
      const later = s.rng.int(5, 30)
      const rest = later * s.rng.int(2, 9)
      const all = daily * days + rest
      s.say(
        `${who.name} reads a book of ${all} pages. For ${days} days ${who.he} reads ${daily} pages a day.`,
        `A book has ${all} pages. ${who.name} reads ${daily} pages on each of ${days} days.`,
      )
      const read = s.step(
        '*',
        s.given(daily),
        s.given(days),
        `${who.name} reads {} pages.`,
        `In ${days} days that is {} pages.`,
      )
      const left = s.step('-', s.given(all), read, `That leaves {} pages.`, `So {} pages are left.`)
      if (s.left() === 0)
        return end(
          left,
          who,
          'pages',
          `How many pages are left?`,
          `How many pages does ${who.name} still have to read?`,
        )
      s.say(
        `The rest ${who.he} reads at ${later} pages a day.`,
        `After that ${who.name} manages ${later} pages a day until the end.`,
      )
      const more = s.step(
        '/',
        left,
        s.given(later),
        `For the rest ${who.name} needs {} days.`,
        `The rest takes {} days.`,
      )
      if (s.left() === 0)
        return end(
          more,
          who,
          'days',
          `How many days does ${who.name} need for the rest?`,
          `How many days does the rest take?`,
        )
      const total = s.step(
        '+',
        s.given(days),
        more,
        `The whole book takes {} days.`,
        `In all that is {} days.`,
      )
      return end(
        total,
        who,
        'days',
        `How many days does the whole book take?`,
        `In how many days does ${who.name} read the whole book?`,
      )
    },
  },
]
