// Openings about who has more, and about days that add up. Knows no continuation.
import { DAYS, ITEMS } from './pools.ts'
import { type Core, fraction, times } from './story.ts'
import { age, items, points, pool } from './tails.ts'

/** Stories that compare. */
export const COMPARING_STORIES: readonly Core[] = [
  {
    kind: 'compare',
    min: 2,
    tell(s) {
      const a = s.person()
      const b = s.person()
      const thing = s.fresh(ITEMS)
      const x = s.rng.int(6, 60)
      const k = s.rng.int(2, 5)
      const d = s.rng.int(2, Math.min(40, x - 2))
      s.say(
        `${a.name} has ${x} ${thing.many}.`,
        `${a.name} owns ${x} ${thing.many}.`,
        `${a.name} has collected ${x} ${thing.many}.`,
      )
      const first = s.given(x)
      const relation = s.rng.pick(['more', 'fewer', 'times'] as const)
      if (relation === 'more')
        s.say(
          `${b.name} has ${d} more ${thing.many} than ${a.name}.`,
          `That is ${d} fewer than ${b.name} has.`,
        )
      if (relation === 'fewer')
        s.say(
          `${b.name} has ${d} fewer ${thing.many} than ${a.name}.`,
          `That is ${d} more than ${b.name} has.`,
        )
      if (relation === 'times')
        s.say(
          `${b.name} has ${times(k)} as many ${thing.many} as ${a.name}.`,
          `${b.name} owns ${times(k)} as many.`,
        )
      const op = relation === 'more' ? '+' : relation === 'fewer' ? '-' : '*'
      const other = s.given(relation === 'times' ? k : d)
      const second = s.step(
        op,
        first,
        other,
        `${b.name} has {} ${thing.many}.`,
        `So ${b.name} owns {} ${thing.many}.`,
        `The number for ${b.name} is {}.`,
      )
      if (relation === 'times') s.also('*', first, s.also('+', other, { value: 1, text: '1' }))
      const both = s.step(
        '+',
        first,
        second,
        `Together they have {} ${thing.many}.`,
        `${a.name} and ${b.name} have {} ${thing.many} in all.`,
      )
      const ask = [
        `How many ${thing.many} do they have together?`,
        `How many ${thing.many} do ${a.name} and ${b.name} have in all?`,
      ]
      if (s.left() < 2 || s.rng.uniform() < 0.4) return pool(both, a, thing.many, ...ask)
      const c = s.person()
      const m = s.rng.int(2, 30)
      s.say(
        `${c.name} has ${m} more ${thing.many} than ${b.name}.`,
        `${c.name} owns ${m} more than ${b.name} does.`,
      )
      const third = s.step(
        '+',
        second,
        s.given(m),
        `${c.name} has {} ${thing.many}.`,
        `So ${c.name} owns {} ${thing.many}.`,
      )
      const all = s.step(
        '+',
        both,
        third,
        `All three have {} ${thing.many}.`,
        `Together the three have {} ${thing.many}.`,
      )
      return pool(
        all,
        a,
        thing.many,
        `How many ${thing.many} do the three have together?`,
        `How many ${thing.many} do all three have in total?`,
      )
    },
  },
  {
    kind: 'week',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const start = s.rng.int(0, 3)
      const [d1 = '', d2 = '', d3 = ''] = DAYS.slice(start, start + 3)
      const verb = s.rng.pick(['collects', 'makes', 'receives', 'brings home'])
      const x = s.rng.int(5, 40)
      const k = s.rng.int(2, 4)
      const more = s.rng.int(2, 20)
      const scaled = s.rng.uniform() < 0.5
      s.say(
        `On ${d1} ${who.name} ${verb} ${x} ${thing.many}, and on ${d2} ${scaled ? `${times(k)} as many` : `${more} more than on ${d1}`}.`,
        `${who.name} ${verb} ${x} ${thing.many} on ${d1}. On ${d2} it is ${scaled ? `${times(k)} that number` : `${more} more than that`}.`,
      )
      const first = s.given(x)
      const second = scaled
        ? s.step('*', first, s.given(k), `On ${d2} it is {} ${thing.many}.`, `${d2} brings {} ${thing.many}.`)
        : s.step(
            '+',
            first,
            s.given(more),
            `On ${d2} it is {} ${thing.many}.`,
            `${d2} brings {} ${thing.many}.`,
          )
      if (scaled) s.also('*', first, s.also('+', s.given(k), { value: 1, text: '1' }))
      const two = s.step(
        '+',
        first,
        second,
        `The two days make {} ${thing.many}.`,
        `After ${d2} it is {} ${thing.many} in all.`,
      )
      if (s.left() < 2 || s.rng.uniform() < 0.4) return items(two, who, thing.many)
      const half = second.value % 2 === 0 && s.rng.uniform() < 0.5
      const m = s.rng.int(2, 15)
      if (half)
        s.say(
          `On ${d3} ${who.he} ${verb} half as many as on ${d2}.`,
          `${d3} gives ${who.name} half of what ${d2} gave.`,
        )
      else
        s.say(
          `On ${d3} ${who.he} ${verb} ${m} more than on ${d2}.`,
          `${d3} gives ${who.name} ${m} more than ${d2}.`,
        )
      const third = half
        ? s.step(
            '/',
            second,
            s.given(2),
            `On ${d3} it is {} ${thing.many}.`,
            `${d3} brings {} ${thing.many}.`,
          )
        : s.step(
            '+',
            second,
            s.given(m),
            `On ${d3} it is {} ${thing.many}.`,
            `${d3} brings {} ${thing.many}.`,
          )
      return items(
        s.step('+', two, third, `In all that is {} ${thing.many}.`, `The three days make {} ${thing.many}.`),
        who,
        thing.many,
      )
    },
  },
  {
    kind: 'ages',
    min: 1,
    tell(s) {
      const a = s.person()
      const b = s.person()
      const x = s.rng.int(6, 45)
      s.say(
        `${a.name} is ${x} years old.`,
        `${a.name} has just turned ${x}.`,
        `The age of ${a.name} is ${x}.`,
      )
      const at = s.given(x)
      const relation = s.rng.pick(['older', 'younger', 'times', 'part'] as const)
      const d = s.rng.int(2, x - 3)
      const k = s.rng.int(2, x < 25 ? 4 : 2)
      if (relation === 'part' && x % 2 === 0) {
        s.say(`${b.name} is ${fraction(2)} as old as ${a.name}.`, `${a.name} is twice as old as ${b.name}.`)
        return age(
          s.step('/', at, s.given(2), `${b.name} is {} years old.`, `The age of ${b.name} is {}.`),
          b,
        )
      }
      if (relation === 'times') {
        s.say(`${b.name} is ${times(k)} as old as ${a.name}.`, `The age of ${b.name} is ${times(k)} that.`)
        return age(
          s.step('*', at, s.given(k), `${b.name} is {} years old.`, `The age of ${b.name} is {}.`),
          b,
        )
      }
      const older = relation === 'older'
      s.say(
        `${b.name} is ${d} years ${older ? 'older' : 'younger'} than ${a.name}.`,
        `${a.name} is ${d} years ${older ? 'younger' : 'older'} than ${b.name}.`,
      )
      return age(
        s.step(
          older ? '+' : '-',
          at,
          s.given(d),
          `${b.name} is {} years old.`,
          `The age of ${b.name} is {}.`,
        ),
        b,
      )
    },
  },
  {
    kind: 'average',
    min: 2,
    tell(s) {
      const who = s.person()
      const game = s.rng.pick(['game', 'test', 'round', 'quiz', 'race'])
      const plural = game === 'quiz' ? 'quizzes' : `${game}s`
      const three = s.left() >= 3 && s.rng.uniform() < 0.7
      const k = three ? 3 : 2
      const mean = s.rng.int(8, 80)
      const d1 = s.rng.int(1, 6)
      const d2 = s.rng.int(1, 6)
      const scores = three ? [mean - d1, mean + d1 + d2, mean - d2] : [mean - d1, mean + d1]
      const [a = 0, b = 0, c = 0] = s.rng.shuffle(scores)
      if (s.rng.uniform() < 0.35 && k === 2) {
        s.say(
          `After two ${plural}, the average of ${who.name} is ${mean} points. In the first one ${who.he} got ${a} points; now look at the second.`,
          `${who.name} got ${a} points in the first of two ${plural}. The average of the two is ${mean} points, and the second score is missing.`,
        )
        const sum = s.step(
          '*',
          s.given(mean),
          s.given(2),
          `Both together are {} points.`,
          `The sum of the two is {} points.`,
        )
        return points(
          s.step(
            '-',
            sum,
            s.given(a),
            `In the second one ${who.name} got {} points.`,
            `So the other score is {} points.`,
          ),
          who,
        )
      }
      s.say(
        `${who.name} gets ${a}${three ? `, ${b} and ${c}` : ` and ${b}`} points in ${three ? 'three' : 'two'} ${plural}. Only the average of these counts.`,
        `The points of ${who.name} in ${three ? 'three' : 'two'} ${plural} are ${a}${three ? `, ${b} and ${c}` : ` and ${b}`}. They are averaged.`,
      )
      const two = s.step(
        '+',
        s.given(a),
        s.given(b),
        `The first two make {} points.`,
        `Adding gives {} points.`,
      )
      const sum = three
        ? s.step('+', two, s.given(c), `All three make {} points.`, `With the third one it is {} points.`)
        : two
      return points(
        s.step('/', sum, s.given(k), `The average is {} points.`, `On average that is {} points.`),
        who,
      )
    },
  },
]
