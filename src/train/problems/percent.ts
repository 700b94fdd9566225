// Percentages that come out even, and the step that takes one. Knows no story.
import type { Story } from './story.ts'
import type { Quantity } from './types.ts'

/** Percent rates that come out even, with the divisor where there is one. */
const RATES = [
  { percent: 10, by: 10 },
  { percent: 20, by: 5 },
  { percent: 25, by: 4 },
  { percent: 50, by: 2 },
  { percent: 30, by: null },
  { percent: 40, by: null },
  { percent: 60, by: null },
  { percent: 5, by: 20 },
] as const

/** A percent rate that takes a whole number from a whole `value`, or null. */
export function rateFor(s: Story, value: number): number | null {
  const fits = RATES.filter(r => (value * r.percent) % 100 === 0 && value * r.percent >= 200)
  return fits.length > 0 ? s.rng.pick(fits).percent : null
}

/** The step that takes `percent` of `at`: as a division where one fits, else with a decimal factor. */
export function percentStep(
  s: Story,
  at: Quantity,
  percent: number,
  ...variants: readonly string[]
): Quantity {
  const by = RATES.find(r => r.percent === percent)?.by ?? null
  const factor = s.given(percent / 100, String(percent / 100))
  const one = s.given(100)
  s.given(percent)
  if (by !== null && s.rng.uniform() < 0.3) return s.step('/', at, s.given(by), ...variants)
  if (at.value % 100 === 0) s.also('/', at, one)
  return s.step('*', at, factor, ...variants)
}
