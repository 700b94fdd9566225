// The one rule by which every search method is made as wide as a budget of so many samples. Knows no method's code.
import type { MethodName, PARAMS } from '../../search/params.ts'
import { METHOD_PARAMS } from '../../search/params.ts'

/** Parameters that make a method wide; all others keep their defaults. */
export type Widths = Partial<Record<keyof typeof PARAMS, number>>

/** For people, beside every table. k: the budget in samples. */
export const WIDTH_RULE =
  'A budget of k samples is a limit of k times the mean tokens of one sample, the same for every method and problem; what a method ' +
  'would still do then is cut. Widths by one rule: n = k; width = ⌈√k⌉, as many branches as beams; runs = ⌈k/2⌉, which leaves ' +
  'as much for second tries; simulations = k, more than the limit lets end; plans = ⌊k/4⌋ of the k calls; pairwise compares each with each, so n = ⌊√k⌉, ' +
  'two at least. All else as by default.'

/**
 * The widths of a method for a budget of `samples` (a whole number from 1 on): so many that calls of one sample's
 * length, or a step's for each of its steps, about spend it.
 */
export function widthsFor(method: MethodName, samples: number): Widths {
  const taken: readonly string[] = METHOD_PARAMS[method]
  const plans = Math.max(1, Math.floor(samples / 4))
  const root = Math.sqrt(samples)
  const n =
    method === 'pairwise' ? Math.max(2, Math.floor(root)) : samples - (taken.includes('plans') ? plans : 0)
  const all: Widths = {
    n: Math.max(1, n),
    plans,
    width: Math.ceil(root),
    runs: Math.ceil(samples / 2),
    simulations: samples,
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => taken.includes(name)))
}
