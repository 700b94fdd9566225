// Openings about distance, volume, area, rows and weight. Knows no continuation.
import { GROUNDS, PLANTS, VEHICLES, VESSELS } from './pools.ts'
import type { Core } from './story.ts'
import { area, end, load, miles, minutes, plants } from './tails.ts'

/** Stories that measure. */
export const MEASURE_STORIES: readonly Core[] = [
  {
    kind: 'travel',
    min: 1,
    tell(s) {
      const who = s.person()
      const v = s.rng.int(4, 60)
      const h = s.rng.int(2, 6)
      const way = s.fresh(VEHICLES)
      const rides = way === 'cyclist' ? 'a bicycle' : `a ${way}`
      s.say(
        `${who.name} goes ${v} miles an hour in ${rides === 'a bicycle' ? 'a small boat' : rides} for ${h} hours.`,
        `For ${h} hours ${who.name} travels at ${v} miles per hour.`,
        `${who.name} travels ${h} hours at a speed of ${v} miles an hour.`,
      )
      const first = s.step(
        '*',
        s.given(v),
        s.given(h),
        `${who.name} covers {} miles.`,
        `In ${h} hours that is {} miles.`,
        `The distance is {} miles.`,
      )
      if (s.left() < 2 || s.rng.uniform() < 0.5) return miles(first, who)
      const v2 = s.rng.int(4, 60)
      const h2 = s.rng.int(2, 5)
      s.say(
        `Then ${who.he} goes on for ${h2} hours at ${v2} miles an hour.`,
        `After lunch ${who.name} does ${v2} miles an hour for ${h2} more hours.`,
      )
      const second = s.step(
        '*',
        s.given(v2),
        s.given(h2),
        `The second part is {} miles.`,
        `After that, ${who.name} covers {} miles.`,
      )
      return miles(s.step('+', first, second, `Both parts make {} miles.`, `In all that is {} miles.`), who)
    },
  },
  {
    kind: 'speed',
    min: 2,
    tell(s) {
      const who = s.person()
      const v = s.rng.int(4, 60)
      const h = s.rng.int(2, 8)
      const h2 = s.rng.int(2, 9)
      s.say(
        `${who.name} travels ${v * h} miles in ${h} hours. The next day ${who.he} travels at the same speed for ${h2} hours, and only that day counts.`,
        `In ${h} hours ${who.name} rides ${v * h} miles. On Sunday ${who.he} keeps the same speed for ${h2} hours; look at Sunday only.`,
      )
      const speed = s.step(
        '/',
        s.given(v * h),
        s.given(h),
        `The speed is {} miles an hour.`,
        `${who.name} goes {} miles each hour.`,
      )
      return miles(
        s.step(
          '*',
          speed,
          s.given(h2),
          `In ${h2} hours that is {} miles.`,
          `So ${who.name} covers {} miles.`,
        ),
        who,
      )
    },
  },
  {
    kind: 'tank',
    min: 2,
    tell(s) {
      const who = s.person()
      const vessel = s.fresh(VESSELS)
      const leak = s.rng.int(2, 9)
      const net = s.rng.int(2, 20)
      const time = s.rng.int(3, 30)
      const fill = net + leak
      const has = s.left() >= 3 && s.rng.uniform() < 0.5 ? s.rng.int(5, 60) : 0
      const full = net * time + has
      s.say(
        `A ${vessel} holds ${full} liters${has > 0 ? ` and has ${has} liters in it` : ' and is empty'}. ${who.name} fills it with ${fill} liters a minute, but ${leak} liters leak out every minute.`,
        `${who.name} fills a ${vessel} of ${full} liters${has > 0 ? ` in which there are already ${has} liters` : ''}. Each minute ${fill} liters flow in and ${leak} liters are lost.`,
      )
      const gain = s.step(
        '-',
        s.given(fill),
        s.given(leak),
        `Each minute the ${vessel} gains {} liters.`,
        `The gain is {} liters a minute.`,
      )
      const missing =
        has > 0
          ? s.step(
              '-',
              s.given(full),
              s.given(has),
              `There is room for {} liters.`,
              `So {} liters are missing.`,
            )
          : s.given(full)
      const took = s.step('/', missing, gain, `It is full after {} minutes.`, `Filling it takes {} minutes.`)
      return minutes(
        took,
        who,
        `After how many minutes is the ${vessel} full?`,
        `How many minutes does ${who.name} need to fill the ${vessel}?`,
      )
    },
  },
  {
    kind: 'rectangle',
    min: 2,
    tell(s) {
      const who = s.person()
      const ground = s.fresh(GROUNDS)
      const w = s.rng.int(3, 20)
      const more = s.rng.int(2, 15)
      const relative = s.left() >= 2 && s.rng.uniform() < 0.6
      const around = relative ? s.left() === 3 && s.rng.uniform() < 0.5 : s.left() === 2
      const long = w + more
      s.say(
        `The ${ground} of ${who.name} is a rectangle, ${w} meters wide and ${relative ? `${more} meters longer than it is wide` : `${long} meters long`}.`,
        `${who.name} has a rectangular ${ground}. Its width is ${w} meters, and its length is ${relative ? `${more} meters more than that` : `${long} meters`}.`,
      )
      const width = s.given(w)
      const length = relative
        ? s.step('+', width, s.given(more), `The length is {} meters.`, `It is {} meters long.`)
        : s.given(long)
      if (around) {
        const sides = s.step(
          '+',
          length,
          width,
          `Length and width together are {} meters.`,
          `Two sides are {} meters.`,
        )
        s.also('+', s.also('*', length, s.given(2)), s.also('*', width, s.given(2)))
        const rim = s.step(
          '*',
          sides,
          s.given(2),
          `All the way around it is {} meters.`,
          `The perimeter is {} meters.`,
        )
        return end(
          rim,
          who,
          'meters',
          `How many meters of fence go around it?`,
          `What is the perimeter in meters?`,
        )
      }
      return area(
        s.step('*', length, width, `The area is {} square meters.`, `The ${ground} has {} square meters.`),
        who,
        ground,
      )
    },
  },
  {
    kind: 'orchard',
    min: 1,
    tell(s) {
      const who = s.person()
      const plant = s.fresh(PLANTS)
      const rows = s.rng.int(3, 15)
      const each = s.rng.int(3, 15)
      s.say(
        `${who.name} plants ${rows} rows of ${each} ${plant.many}.`,
        `There are ${each} ${plant.many} in each of the ${rows} rows in the garden of ${who.name}.`,
      )
      return plants(
        s.step(
          '*',
          s.given(rows),
          s.given(each),
          `There are {} ${plant.many}.`,
          `In all that is {} ${plant.many}.`,
        ),
        who,
        plant.many,
      )
    },
  },
  {
    kind: 'load',
    min: 3,
    tell(s) {
      const who = s.person()
      const vehicle = s.fresh(VEHICLES.slice(2, 4).concat('trailer', 'boat', 'cart'))
      const n = s.rng.int(2, 12)
      const a = s.rng.int(3, 25)
      const m = s.rng.int(2, 12)
      const b = s.rng.int(3, 25)
      s.say(
        `${who.name} loads a ${vehicle} with ${n} boxes of ${a} kilograms and ${m} sacks of ${b} kilograms.`,
        `On the ${vehicle} of ${who.name} there are ${n} boxes and ${m} sacks. A box weighs ${a} kilograms and a sack ${b} kilograms.`,
      )
      const boxes = s.step(
        '*',
        s.given(n),
        s.given(a),
        `The boxes weigh {} kilograms.`,
        `All boxes make {} kilograms.`,
      )
      const sacks = s.step(
        '*',
        s.given(m),
        s.given(b),
        `The sacks weigh {} kilograms.`,
        `All sacks make {} kilograms.`,
      )
      return load(
        s.step('+', boxes, sacks, `The load is {} kilograms.`, `Together that is {} kilograms.`),
        who,
        vehicle,
      )
    },
  },
]
