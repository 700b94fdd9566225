// Openings about earning, saving and small change. Knows no continuation.
import { CONTAINERS, JOBS, WISHES } from './pools.ts'
import { type Core, cap } from './story.ts'
import { cents, end, money } from './tails.ts'

/** Stories about money that comes in. */
export const EARNINGS_STORIES: readonly Core[] = [
  {
    kind: 'wages',
    min: 1,
    tell(s) {
      const who = s.person()
      const job = s.fresh(JOBS)
      const rate = s.rng.int(5, 20)
      const hours = s.rng.int(2, 8)
      const days = s.rng.int(2, 6)
      const daily = s.left() >= 2 && s.rng.uniform() < 0.6 && rate * hours * days <= 600
      s.say(
        `${who.name} earns $${rate} an hour ${job}.`,
        `For ${job}, ${who.name} is paid $${rate} per hour.`,
        `${cap(job)} pays ${who.name} $${rate} for each hour.`,
      )
      if (!daily) {
        s.say(`This week ${who.name} works ${hours} hours.`, `${cap(who.he)} works for ${hours} hours.`)
        return money(
          s.step(
            '*',
            s.given(rate),
            s.given(hours),
            `${who.name} earns {} dollars.`,
            `The pay is {} dollars.`,
          ),
          who,
        )
      }
      s.say(
        `${cap(who.he)} works ${hours} hours a day for ${days} days.`,
        `On each of ${days} days, ${who.he} works ${hours} hours.`,
      )
      if (s.rng.uniform() < 0.5) {
        const all = s.step(
          '*',
          s.given(hours),
          s.given(days),
          `${who.name} works {} hours.`,
          `In all that is {} hours.`,
        )
        return money(
          s.step('*', s.given(rate), all, `${who.name} earns {} dollars.`, `The pay is {} dollars.`),
          who,
        )
      }
      const day = s.step(
        '*',
        s.given(rate),
        s.given(hours),
        `${who.name} earns {} dollars a day.`,
        `One day brings {} dollars.`,
      )
      return money(
        s.step(
          '*',
          day,
          s.given(days),
          `In ${days} days that is {} dollars.`,
          `All the days bring {} dollars.`,
        ),
        who,
      )
    },
  },
  {
    kind: 'savings',
    min: 2,
    tell(s) {
      const who = s.person()
      const good = s.fresh(WISHES)
      const has = s.rng.int(5, 60)
      const weekly = s.rng.int(3, 15)
      const weeks = s.rng.int(3, 12)
      if (s.left() === 2 && s.rng.uniform() < 0.5) {
        const goal = has + weekly * weeks
        s.say(
          `${who.name} wants a ${good.one} that costs $${goal}. ${cap(who.he)} has $${has} and saves $${weekly} every week.`,
          `${who.name} has $${has} and puts $${weekly} aside each week. The ${good.one} ${who.he} wants costs $${goal}.`,
        )
        const missing = s.step(
          '-',
          s.given(goal),
          s.given(has),
          `${who.name} still needs {} dollars.`,
          `So {} dollars are missing.`,
        )
        const count = s.step(
          '/',
          missing,
          s.given(weekly),
          `That takes {} weeks.`,
          `${who.name} saves for {} weeks.`,
        )
        return end(
          count,
          who,
          'weeks',
          `After how many weeks can ${who.name} buy it?`,
          `How many weeks does ${who.name} have to save?`,
        )
      }
      s.say(
        `${who.name} has $${has} in a piggy bank and saves $${weekly} every week for ${weeks} weeks.`,
        `Starting with $${has}, ${who.name} puts $${weekly} into a box each week. ${cap(who.he)} does so for ${weeks} weeks.`,
      )
      const saved = s.step(
        '*',
        s.given(weekly),
        s.given(weeks),
        `${who.name} saves {} dollars.`,
        `In ${weeks} weeks that is {} dollars.`,
      )
      return money(
        s.step(
          '+',
          s.given(has),
          saved,
          `${who.name} then has {} dollars.`,
          `With the first money it is {} dollars.`,
        ),
        who,
      )
    },
  },
  {
    kind: 'coins',
    min: 2,
    tell(s) {
      const who = s.person()
      const [big, small] = s.rng.pick([
        [
          { name: 'quarters', worth: 25 },
          { name: 'dimes', worth: 10 },
        ],
        [
          { name: 'quarters', worth: 25 },
          { name: 'nickels', worth: 5 },
        ],
        [
          { name: 'dimes', worth: 10 },
          { name: 'nickels', worth: 5 },
        ],
      ] as const)
      const n = s.rng.int(2, 12)
      const m = s.rng.int(2, 15)
      const jar = s.fresh(CONTAINERS)
      const worth = ` A ${big.name.slice(0, -1)} is ${big.worth} cents.`
      const two = s.left() >= 3
      s.say(
        `${who.name} has ${n} ${big.name}${two ? ` and ${m} ${small.name}` : ` and ${m} cents`} in a ${jar.one}.${worth}`,
        `In a ${jar.one}, ${who.name} finds ${n} ${big.name}${two ? ` and ${m} ${small.name}` : ` and another ${m} cents`}.${worth}`,
      )
      const first = s.step(
        '*',
        s.given(n),
        s.given(big.worth),
        `The ${big.name} are worth {} cents.`,
        `All the ${big.name} make {} cents.`,
      )
      if (!two)
        return cents(
          s.step('+', first, s.given(m), `In all that is {} cents.`, `Together it is {} cents.`),
          who,
        )
      s.say(
        `A ${small.name.slice(0, -1)} is ${small.worth} cents.`,
        `Each of the ${small.name} is worth ${small.worth} cents.`,
      )
      const second = s.step(
        '*',
        s.given(m),
        s.given(small.worth),
        `The ${small.name} are worth {} cents.`,
        `All the ${small.name} make {} cents.`,
      )
      return cents(s.step('+', first, second, `In all that is {} cents.`, `Together it is {} cents.`), who)
    },
  },
]
