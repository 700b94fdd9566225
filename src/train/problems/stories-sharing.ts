// Openings about sharing, packing and parts of a whole. Knows no continuation.
import { COLORS, CONTAINERS, ITEMS, SHOPS } from './pools.ts'
import { type Core, cap, fraction } from './story.ts'
import { items, need } from './tails.ts'

/** Stories about things divided or put together. */
export const SHARING_STORIES: readonly Core[] = [
  {
    kind: 'share',
    min: 1,
    tell(s) {
      const who = s.person()
      const friend = s.person()
      const thing = s.fresh(ITEMS)
      const k = s.rng.int(2, 9)
      const each = s.rng.int(3, 24)
      const all = k * each
      s.say(
        `${who.name} has ${all} ${thing.many} and shares them equally among ${k} friends. ${friend.name} is one of the friends.`,
        `${all} ${thing.many} are divided evenly between ${k} children. ${friend.name}, one of the children, takes a share.`,
        `A teacher deals out ${all} ${thing.many} to ${k} children, the same number to each, and ${friend.name} is among the children.`,
      )
      return items(
        s.step(
          '/',
          s.given(all),
          s.given(k),
          `Each one gets {} ${thing.many}.`,
          `${friend.name} gets {} ${thing.many}.`,
          `An equal share is {} ${thing.many}.`,
        ),
        friend,
        thing.many,
      )
    },
  },
  {
    kind: 'pack',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const box = s.fresh(CONTAINERS)
      const k = s.rng.int(2, 9)
      const each = s.rng.int(3, 12)
      const all = k * each + s.rng.int(2, 25)
      s.say(
        `${who.name} has ${all} ${thing.many}. ${cap(who.he)} fills ${k} ${box.many} with ${each} ${thing.many} each and keeps the rest.`,
        `Of ${all} ${thing.many}, ${who.name} puts ${each} into each of ${k} ${box.many} for the neighbors. The rest stays with ${who.name}.`,
      )
      const used = s.step(
        '*',
        s.given(k),
        s.given(each),
        `The ${box.many} hold {} ${thing.many}.`,
        `${who.name} packs {} ${thing.many}.`,
      )
      const rest = s.step(
        '-',
        s.given(all),
        used,
        `That leaves {} ${thing.many}.`,
        `${who.name} has {} ${thing.many} left over.`,
      )
      return items(rest, who, thing.many)
    },
  },
  {
    kind: 'stock',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const box = s.fresh(CONTAINERS)
      const k = s.rng.int(2, 9)
      const each = s.rng.int(4, 20)
      const loose = s.rng.int(2, 30)
      s.say(
        `${who.name} owns ${k} ${box.many} with ${each} ${thing.many} in each, and ${loose} loose ${thing.many}.`,
        `There are ${each} ${thing.many} in every ${box.one}. ${who.name} has ${k} ${box.many} and ${loose} single ${thing.many}.`,
      )
      const packed = s.step(
        '*',
        s.given(k),
        s.given(each),
        `In the ${box.many} there are {} ${thing.many}.`,
        `The ${box.many} hold {} ${thing.many}.`,
      )
      return items(
        s.step(
          '+',
          packed,
          s.given(loose),
          `In all ${who.name} has {} ${thing.many}.`,
          `With the loose ones that is {} ${thing.many}.`,
        ),
        who,
        thing.many,
      )
    },
  },
  {
    kind: 'bakery',
    min: 1,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const dozens = s.rng.int(2, 9)
      s.say(
        `${who.name} makes ${dozens} dozen ${thing.many}.`,
        `${who.name} brings ${dozens} dozen ${thing.many} to the ${s.fresh(SHOPS)}.`,
        `There are ${dozens} dozen ${thing.many} on the table of ${who.name}.`,
      )
      const all = s.step(
        '*',
        s.given(dozens),
        s.given(12),
        `${dozens} dozen is {} ${thing.many}.`,
        `A dozen is 12, so there are {} ${thing.many}.`,
      )
      return items(all, who, thing.many)
    },
  },
  {
    kind: 'fractions',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const color = s.fresh(COLORS)
      const k = s.rng.int(2, 6)
      const all = k * s.rng.int(4, 30)
      s.say(
        `${who.name} has ${all} ${thing.many}. ${cap(fraction(k))} of them are ${color}, and ${who.he} gives all the ${color} ones away.`,
        `${cap(fraction(k))} of the ${all} ${thing.many} that ${who.name} has are ${color}. ${cap(who.he)} keeps only those that are not ${color}.`,
      )
      const part = s.step(
        '/',
        s.given(all),
        s.given(k),
        `The number of ${color} ones is {}.`,
        `${cap(fraction(k))} of them is {}.`,
        `So {} ${thing.many} are ${color}.`,
      )
      return items(
        s.step(
          '-',
          s.given(all),
          part,
          `${who.name} is left with {} ${thing.many}.`,
          `That leaves {} ${thing.many}.`,
        ),
        who,
        thing.many,
      )
    },
  },
  {
    kind: 'ratio',
    min: 3,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const c1 = s.fresh(COLORS)
      const c2 = s.fresh(COLORS)
      const a = s.rng.int(2, 5)
      const b = s.rng.int(2, 6)
      const sets = s.rng.int(3, 15)
      const all = sets * (a + b)
      s.say(
        `${who.name} has ${all} ${thing.many}. For every ${a} ${c1} ones there are ${b} ${c2} ones, and there are no others. ${cap(who.he)} keeps only the ${c1} ones.`,
        `In a collection of ${all} ${thing.many}, ${a} ${c1} ones go with every ${b} ${c2} ones. ${who.name} takes just the ${c1} ones.`,
      )
      const group = s.step(
        '+',
        s.given(a),
        s.given(b),
        `One group has {} ${thing.many}.`,
        `A set of both colors is {} ${thing.many}.`,
      )
      const count = s.step(
        '/',
        s.given(all),
        group,
        `There are {} such groups.`,
        `The number of groups is {}.`,
      )
      return items(
        s.step(
          '*',
          count,
          s.given(a),
          `So {} ${thing.many} are ${c1}.`,
          `${who.name} has {} ${c1} ${thing.many}.`,
        ),
        who,
        thing.many,
      )
    },
  },
  {
    kind: 'recipe',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.rng.pick([
        'eggs',
        'carrots',
        'potatoes',
        'tomatoes',
        'onions',
        'bananas',
        'lemons',
        'apples',
      ])
      const base = s.rng.int(2, 6)
      const factor = s.rng.int(2, 8)
      const uses = s.rng.int(2, 9)
      const guests = base * factor
      s.say(
        `A recipe for ${base} people takes ${uses} ${thing}. ${who.name} cooks it for ${guests} people.`,
        `${who.name} cooks for ${guests} people. The recipe is for ${base} people and takes ${uses} ${thing}.`,
      )
      const scale = s.step(
        '/',
        s.given(guests),
        s.given(base),
        `The recipe has to be made {} times.`,
        `That is {} times the recipe.`,
      )
      return need(
        s.step('*', scale, s.given(uses), `${who.name} needs {} ${thing}.`, `So {} ${thing} go into it.`),
        who,
        thing,
      )
    },
  },
]
