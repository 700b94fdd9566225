// Openings about buying and paying. Knows no continuation.
import { percentStep, rateFor } from './percent.ts'
import { GOODS, type Good, ITEMS, SHOPS } from './pools.ts'
import { type Core, cap, type Story, show } from './story.ts'
import { cost, money } from './tails.ts'

/** A price for a good: mostly whole dollars, now and then with cents. */
function price(s: Story, good: Good): number {
  if (good.high < 10 && s.rng.uniform() < 0.15) return s.rng.int(1, 5) + s.rng.pick([0.5, 0.25, 0.75, 0.5])
  return s.rng.int(good.low, good.high)
}

/** A number of pieces that keeps the cost in sight of the price. */
const pieces = (s: Story, each: number) => s.rng.int(2, each > 20 ? 5 : 12)

/** Stories told at a till. */
export const SHOP_STORIES: readonly Core[] = [
  {
    kind: 'shop',
    min: 1,
    tell(s) {
      const who = s.person()
      const shop = s.fresh(SHOPS)
      const a = s.fresh(GOODS)
      const pa = price(s, a)
      const na = pieces(s, pa)
      s.say(
        `At the ${shop}, ${who.name} buys ${na} ${a.many} for $${show(pa)} each.`,
        `${who.name} buys ${na} ${a.many} that cost $${show(pa)} apiece.`,
        `One ${a.one} costs $${show(pa)} at the ${shop}, and ${who.name} takes ${na} of them.`,
        `${who.name} goes to the ${shop} and picks out ${na} ${a.many} at $${show(pa)} each.`,
      )
      const first = s.step(
        '*',
        s.given(na),
        s.given(pa),
        `The ${a.many} cost {} dollars.`,
        `${who.name} pays {} dollars for the ${a.many}.`,
        `For the ${a.many} that is {} dollars.`,
      )
      if (s.left() === 0 || (s.left() !== 1 && s.rng.uniform() < 0.35)) return cost(first, who)
      const b = s.fresh(GOODS)
      const pb = price(s, b)
      if (s.left() === 1 || s.rng.uniform() < 0.4) {
        s.say(
          `${cap(who.he)} also takes a ${b.one} for $${show(pb)}.`,
          `A ${b.one} for $${show(pb)} goes into the bag as well.`,
        )
        return cost(
          s.step(
            '+',
            first,
            s.given(pb),
            `With the ${b.one} it is {} dollars.`,
            `In all ${who.name} pays {} dollars.`,
          ),
          who,
        )
      }
      const nb = pieces(s, pb)
      s.say(
        `${cap(who.he)} also buys ${nb} ${b.many} at $${show(pb)} each.`,
        `${cap(who.he)} needs ${nb} ${b.many} too, and each ${b.one} costs $${show(pb)}.`,
      )
      const second = s.step(
        '*',
        s.given(nb),
        s.given(pb),
        `The ${b.many} cost {} dollars.`,
        `${who.name} pays {} dollars for the ${b.many}.`,
      )
      return cost(
        s.step('+', first, second, `Together that is {} dollars.`, `In all ${who.name} pays {} dollars.`),
        who,
      )
    },
  },
  {
    kind: 'profit',
    min: 2,
    tell(s) {
      const who = s.person()
      const thing = s.fresh(ITEMS)
      const n = s.rng.int(4, 25)
      const buy = s.rng.int(2, 8)
      const sell = buy + s.rng.int(2, 7)
      s.say(
        `${who.name} buys ${n} ${thing.many} for $${buy} each and sells all of them for $${sell} each.`,
        `${who.name} runs a stall with ${n} ${thing.many}. Each ${thing.one} is bought for $${buy} and sold for $${sell}.`,
      )
      const count = s.given(n)
      const low = s.given(buy)
      const high = s.given(sell)
      if (s.left() === 2 || s.rng.uniform() < 0.5) {
        const each = s.step(
          '-',
          high,
          low,
          `Each ${thing.one} brings a gain of {} dollars.`,
          `The gain on one ${thing.one} is {} dollars.`,
        )
        s.also('-', s.also('*', count, high), s.also('*', count, low))
        const gain = s.step(
          '*',
          count,
          each,
          `For all of them the gain is {} dollars.`,
          `${who.name} gains {} dollars.`,
        )
        return {
          ...money(gain, who),
          ask: [`How many dollars does ${who.name} gain?`, `What is the profit of ${who.name} in dollars?`],
        }
      }
      const paid = s.step(
        '*',
        count,
        low,
        `${who.name} pays {} dollars for the ${thing.many}.`,
        `Buying them costs {} dollars.`,
      )
      const got = s.step(
        '*',
        count,
        high,
        `The sale brings in {} dollars.`,
        `${who.name} sells them for {} dollars.`,
      )
      s.also('-', high, low)
      const gain = s.step('-', got, paid, `The gain is {} dollars.`, `So ${who.name} gains {} dollars.`)
      return {
        ...money(gain, who),
        ask: [`How many dollars does ${who.name} gain?`, `What is the profit of ${who.name} in dollars?`],
      }
    },
  },
  {
    kind: 'discount',
    min: 2,
    tell(s) {
      const who = s.person()
      const good = s.fresh(GOODS)
      const full = s.rng.int(2, 24) * s.rng.pick([5, 10, 4])
      const rate = rateFor(s, full) ?? 50
      s.say(
        `A ${good.one} costs $${full}, but today it is ${rate}% off. ${who.name} buys it.`,
        `${who.name} buys a ${good.one}. Its price is $${full}, with a discount of ${rate} percent.`,
        `The price of a ${good.one} is cut by ${rate}% from $${full}, and ${who.name} buys one.`,
      )
      const at = s.given(full)
      const left = s.also('-', s.given(100), s.given(rate))
      if (s.rng.uniform() < 0.3) {
        const kept = s.step(
          '-',
          s.given(100),
          s.given(rate),
          `${who.name} pays {} percent of the price.`,
          `That leaves {} percent to pay.`,
        )
        const factor = s.given(kept.value / 100, String(kept.value / 100))
        s.also('*', at, s.given(rate / 100, String(rate / 100)))
        return cost(
          s.step('*', at, factor, `The price is now {} dollars.`, `${who.name} pays {} dollars.`),
          who,
        )
      }
      const off = percentStep(
        s,
        at,
        rate,
        `The discount is {} dollars.`,
        `${rate} percent of the price is {} dollars.`,
        `So {} dollars are taken off.`,
      )
      s.also('/', left, s.given(100))
      return cost(s.step('-', at, off, `${who.name} pays {} dollars.`, `The price is then {} dollars.`), who)
    },
  },
  {
    kind: 'tip',
    min: 2,
    tell(s) {
      const who = s.person()
      const bill = s.rng.int(2, 24) * s.rng.pick([5, 10, 4])
      const rate = rateFor(s, bill) ?? 50
      const extra = s.rng.pick(['tip', 'service fee', 'tax'])
      s.say(
        `The lunch of ${who.name} costs $${bill}, and a ${extra} of ${rate}% is added.`,
        `${who.name} has a restaurant bill of $${bill}. On top of it comes a ${extra} of ${rate} percent.`,
        `A ${extra} of ${rate}% goes on top when ${who.name} pays a bill of $${bill}.`,
      )
      const at = s.given(bill)
      const part = percentStep(
        s,
        at,
        rate,
        `The ${extra} is {} dollars.`,
        `${rate} percent of the bill is {} dollars.`,
        `So {} dollars are added.`,
      )
      s.also('+', s.given(100), s.given(rate))
      return cost(s.step('+', at, part, `In all that is {} dollars.`, `${who.name} pays {} dollars.`), who)
    },
  },
]
