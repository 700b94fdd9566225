// What can happen next to needs, plants, loads, areas and cents. Knows no opening.
import { ITEMS } from './pools.ts'
import { addend, cap, type Link, portion } from './story.ts'
import { area, cents, cost, end, items, load, money, need, plants } from './tails.ts'

const MOST = 600

/** Continuations of `need`, `plants`, `load`, `area` and `cents`. */
export const STOCK_LINKS: readonly Link[] = [
  {
    name: 'has-some',
    on: 'need',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`There are already ${k} ${noun} in the kitchen.`, `${who.name} has ${k} ${noun} at home.`)
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `${who.name} still needs {} ${noun}.`,
        `So {} ${noun} are missing.`,
      )
      return need(rest, who, noun)
    },
  },
  {
    name: 'extra-need',
    on: 'need',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = s.rng.int(2, 12)
      s.say(
        `To be safe, ${who.name} plans for ${k} extra ${noun}.`,
        `${cap(who.he)} also needs ${k} ${noun} for a cake.`,
      )
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `In all ${who.name} needs {} ${noun}.`,
        `That makes {} ${noun}.`,
      )
      return need(sum, who, noun)
    },
  },
  {
    name: 'price-need',
    on: 'need',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = s.rng.int(2, 6)
      if (at.value * k > MOST) return null
      s.say(
        `${cap(noun)} cost $${k} each, and ${who.name} buys what is needed.`,
        `${who.name} buys all that is needed, at $${k} apiece.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `They cost {} dollars.`,
        `${who.name} pays {} dollars for them.`,
      )
      return cost(sum, who)
    },
  },
  {
    name: 'die',
    on: 'plants',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`A storm destroys ${k} of the ${noun}.`, `In spring ${k} of the ${noun} turn out to be dead.`)
      const rest = s.step('-', at, s.given(k), `That leaves {} ${noun}.`, `So {} ${noun} are alive.`)
      return plants(
        rest,
        who,
        noun,
        `How many ${noun} are left?`,
        `How many ${noun} does ${who.name} still have?`,
      )
    },
  },
  {
    name: 'plant-more',
    on: 'plants',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      s.say(`The year after, ${who.name} plants ${k} more ${noun}.`, `A neighbor brings ${k} more ${noun}.`)
      const sum = s.step(
        '+',
        at,
        s.given(k),
        `Now there are {} ${noun}.`,
        `With these, ${who.name} has {} ${noun}.`,
      )
      return plants(
        sum,
        who,
        noun,
        `How many ${noun} are there now?`,
        `How many ${noun} does ${who.name} have now?`,
      )
    },
  },
  {
    name: 'harvest',
    on: 'plants',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = s.rng.int(2, 9)
      if (at.value * k > 400) return null
      const fruit = s.fresh(ITEMS.slice(11, 15))
      s.say(
        `From each of the ${noun} ${who.name} gets ${k} ${fruit.many} in trade.`,
        `${who.name} swaps every one of the ${noun} for ${k} ${fruit.many}.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `${who.name} gets {} ${fruit.many}.`,
        `That makes {} ${fruit.many}.`,
      )
      return items(sum, who, fruit.many)
    },
  },
  {
    name: 'more-load',
    on: 'load',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = addend(s.rng, at.value)
      s.say(`A crate of ${k} kilograms is added.`, `${who.name} loads another ${k} kilograms of sand.`)
      const sum = s.step('+', at, s.given(k), `Now the load is {} kilograms.`, `That makes {} kilograms.`)
      return load(sum, who, noun)
    },
  },
  {
    name: 'unload',
    on: 'load',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`At the first stop ${k} kilograms are taken off.`, `${who.name} unloads ${k} kilograms.`)
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `Then {} kilograms are on board.`,
        `The load is now {} kilograms.`,
      )
      return load(rest, who, noun)
    },
  },
  {
    name: 'limit',
    on: 'load',
    steps: 1,
    apply(s, { at, who, noun }) {
      if (s.left() > 1) return null
      const limit = Math.ceil((at.value + 5) / 50) * 50 + 50 * s.rng.int(0, 3)
      s.say(
        `The ${noun} may carry ${limit} kilograms at most.`,
        `No more than ${limit} kilograms are allowed on the ${noun}.`,
      )
      const rest = s.step(
        '-',
        s.given(limit),
        at,
        `So {} kilograms are still allowed.`,
        `There is room for {} kilograms more.`,
      )
      return end(
        rest,
        who,
        'kilograms',
        `How many more kilograms may be loaded?`,
        `How many kilograms can ${who.name} still load?`,
      )
    },
  },
  {
    name: 'tiles',
    on: 'area',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = s.rng.int(2, 6)
      if (at.value * k > 900) return null
      s.say(
        `Seed and soil cost $${k} for each square meter.`,
        `${who.name} pays $${k} for every square meter of new floor.`,
      )
      const sum = s.step(
        '*',
        at,
        s.given(k),
        `That costs {} dollars.`,
        `For the whole ${noun} ${who.name} pays {} dollars.`,
      )
      return cost(sum, who)
    },
  },
  {
    name: 'bed',
    on: 'area',
    steps: 1,
    apply(s, { at, who, noun }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`Of this, ${k} square meters are already covered.`, `A corner of ${k} square meters stays free.`)
      const rest = s.step(
        '-',
        at,
        s.given(k),
        `So {} square meters remain.`,
        `${who.name} has to cover {} square meters.`,
      )
      return area(
        rest,
        who,
        noun,
        `How many square meters remain to be covered?`,
        `How many square meters are left?`,
      )
    },
  },
  {
    name: 'cents-more',
    on: 'cents',
    steps: 1,
    apply(s, { at, who }) {
      const k = s.rng.int(2, 9) * 5
      s.say(`${who.name} finds another ${k} cents.`, `A friend gives ${who.name} ${k} cents.`)
      const sum = s.step('+', at, s.given(k), `Now it is {} cents.`, `That makes {} cents.`)
      return cents(sum, who)
    },
  },
  {
    name: 'cents-spend',
    on: 'cents',
    steps: 1,
    apply(s, { at, who }) {
      const k = portion(s.rng, at.value)
      if (k === null) return null
      s.say(`${who.name} spends ${k} cents on candy.`, `A stamp for ${k} cents is all ${who.name} buys.`)
      const rest = s.step('-', at, s.given(k), `${who.name} has {} cents left.`, `So {} cents remain.`)
      return cents(rest, who)
    },
  },
  {
    name: 'cents-dollars',
    on: 'cents',
    steps: 1,
    apply(s, { at, who }) {
      if (at.value % 5 !== 0) return null
      const hundred = s.given(100)
      const sum = s.step('/', at, hundred, `In dollars that is {}.`, `${at.text} cents make {} dollars.`)
      s.say(`A bank clerk changes the coins into dollars.`, `${who.name} writes the sum down in dollars.`)
      return money(sum, who)
    },
  },
]
