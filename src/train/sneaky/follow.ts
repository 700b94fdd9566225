// Carries a changed result onward: mentions of it change, equations that use it are computed again. Knows no operator.
import { type NumberRead, readNumbers } from '../../answer/numbers.ts'
import { format, type Rational } from '../../answer/rational.ts'
import { evaluate, readEquations } from '../problems/arithmetic.ts'
import { formatLike, type Splice, splice } from './step.ts'
import type { ChangedValue } from './types.ts'

/** Old value (canonical text) to new value. */
export type Changes = ReadonlyMap<string, Rational>

/** The map of a single change. */
export const changesOf = (change: ChangedValue): Map<string, Rational> =>
  new Map([[format(change.from), change.to]])

/**
 * `text` from offset `from` on as it would read had the values been other ones, with the changes it leads to.
 * Null when a number cannot be written in its place's manner or an equation cannot be computed: a whole result must stay whole
 * and no result may turn negative, for that would show at a glance.
 */
export function follow(text: string, changes: Changes, from = 0): { text: string; changes: Changes } | null {
  const now = new Map(changes)
  const splices: Splice[] = []
  const equations = readEquations(text).filter(e => e.holds && e.start >= from)
  for (const number of readNumbers(text).flatMap(n => n.parts ?? [n]) as NumberRead[]) {
    if (number.start < from || number.value === null) continue
    const own = equations.find(e => e.result.start === number.start)
    let to = now.get(format(number.value)) ?? null
    if (own !== undefined) {
      const operands = own.operands.map(term => now.get(format(term.value)) ?? term.value)
      to = evaluate(
        operands,
        own.ops.map(o => o.op),
      )
      if (to === null || to.n < 0n || (to.d !== 1n && number.value.d === 1n)) return null
      if (format(to) === format(number.value)) continue
      now.set(format(number.value), to)
    }
    if (to === null) continue
    const written = formatLike(to, number.text)
    if (written === null) return null
    splices.push({ start: number.start, end: number.end, text: written })
  }
  return { text: splice(text, splices), changes: now }
}
