// Openings about people in clubs, classes and vehicles. Knows no continuation.
import { percentStep, rateFor } from './percent.ts'
import { GROUPS, VEHICLES } from './pools.ts'
import type { Core } from './story.ts'
import { people } from './tails.ts'

/** Stories about numbers of people. */
export const GROUP_STORIES: readonly Core[] = [
  {
    kind: 'growth',
    min: 2,
    tell(s) {
      const who = s.person()
      const club = s.fresh(GROUPS)
      const x = s.rng.int(2, 24) * s.rng.pick([5, 10, 4])
      const rate = rateFor(s, x) ?? 50
      s.say(
        `The ${club} of ${who.name} has ${x} people. This year it grows by ${rate}%.`,
        `${who.name} leads a ${club}. It had ${x} people, and the number went up by ${rate} percent.`,
      )
      const at = s.given(x)
      const extra = percentStep(
        s,
        at,
        rate,
        `The growth is {} people.`,
        `${rate} percent of ${x} is {}.`,
        `So {} people are new.`,
      )
      s.also('+', s.given(100), s.given(rate))
      return people(
        s.step('+', at, extra, `Now there are {} people.`, `The ${club} then has {} people.`),
        who,
        club,
      )
    },
  },
  {
    kind: 'survey',
    min: 2,
    tell(s) {
      const who = s.person()
      const club = s.fresh(GROUPS)
      const x = s.rng.int(2, 24) * s.rng.pick([5, 10, 4])
      const rate = rateFor(s, x) ?? 50
      const away = s.rng.pick(['are ill', 'are on a trip', 'have to go home early', 'do not want to come'])
      s.say(
        `${who.name} counts ${x} people in the ${club}. Of these, ${rate}% ${away}, so only the others are there.`,
        `In a ${club} of ${x} people, ${rate} percent ${away}. ${who.name} goes on with the others.`,
      )
      const at = s.given(x)
      const part = percentStep(
        s,
        at,
        rate,
        `The number of people who ${away} is {}.`,
        `${rate} percent of ${x} is {}.`,
        `So {} people ${away}.`,
      )
      s.also('-', s.given(100), s.given(rate))
      const rest = s.step('-', at, part, `That leaves {} people.`, `There are {} people in the ${club} then.`)
      return people(rest, who, club)
    },
  },
  {
    kind: 'passengers',
    min: 2,
    tell(s) {
      const who = s.person()
      const vehicle = s.fresh(VEHICLES.slice(0, 2).concat('tram', 'ferry', 'cable car', 'shuttle'))
      const x = s.rng.int(12, 60)
      const off = s.rng.int(3, x - 4)
      const on = s.rng.int(3, 30)
      s.say(
        `${who.name} drives a ${vehicle} with ${x} people. At the first stop ${off} get off and ${on} get on.`,
        `${x} people sit in the ${vehicle} of ${who.name}. When it stops, ${off} go and ${on} come in.`,
      )
      const stay = s.step(
        '-',
        s.given(x),
        s.given(off),
        `After ${off} get off, {} people are left.`,
        `So {} people stay.`,
      )
      return people(
        s.step(
          '+',
          stay,
          s.given(on),
          `With the new ones there are {} people.`,
          `Then {} people are in the ${vehicle}.`,
        ),
        who,
        vehicle,
      )
    },
  },
  {
    kind: 'class',
    min: 1,
    tell(s) {
      const who = s.person()
      const club = s.fresh(GROUPS)
      const girls = s.rng.int(5, 40)
      const boys = s.rng.int(5, 40)
      s.say(
        `There are ${girls} girls and ${boys} boys in the ${club} that ${who.name} runs.`,
        `${who.name} teaches a ${club} with ${boys} boys and ${girls} girls.`,
      )
      return people(
        s.step(
          '+',
          s.given(girls),
          s.given(boys),
          `There are {} children.`,
          `Girls and boys together are {} people.`,
        ),
        who,
        club,
      )
    },
  },
]
