// Asks the computer algebra library whether two formulas are equal. May take for ever: to be called in a worker only.
import nerdamer from 'nerdamer-prime'
import { type Formula, namesOf } from './formula.ts'
import { parseFormula } from './formula-parse.ts'

/** Larger powers and factorials are not handed over: the library would write them out. */
const MAX_EXPONENT = 64

const size = (formula: Formula): number | null =>
  formula.kind === 'number' ? Math.abs(Number(formula.value.n) / Number(formula.value.d)) : null

/** A formula in the library's words; names are replaced, so that none of them means anything to it. Null where it has none. */
function write(formula: Formula, names: ReadonlyMap<string, string>): string | null {
  if (formula.kind === 'number') {
    const { n, d } = formula.value
    return d === 1n ? `(${n})` : `(${n}/${d})`
  }
  if (formula.kind === 'name') return names.get(formula.name) ?? null
  if (formula.kind === 'unary') {
    const of = write(formula.of, names)
    if (of === null || formula.op === '!') return null
    if (formula.op === 'neg') return `(-${of})`
    if (formula.op === 'degrees') return `(${of}*pi/180)`
    return `${formula.op === 'ln' ? 'log' : formula.op}(${of})`
  }
  const a = write(formula.a, names)
  const b = write(formula.b, names)
  if (a === null || b === null || formula.op === 'C') return null
  const exponent = size(formula.b)
  if (formula.op === '^' && exponent !== null && exponent > MAX_EXPONENT) return null
  if (formula.op !== 'root') return `(${a}${formula.op}${b})`
  return exponent === 2 ? `sqrt(${a})` : `(${a}^(1/${b}))`
}

/**
 * Whether the difference of two formulas simplifies to 0 (true) or to another number (false); null where the library comes to
 * neither, or does not take them.
 */
export function symbolicSame(left: string, right: string): boolean | null {
  const a = parseFormula(left)
  const b = a === null ? null : parseFormula(right)
  if (a === null || b === null) return null
  const names = new Map([...namesOf(a), ...namesOf(b)].map((name, k) => [name, `v${k}`]))
  for (const constant of ['e', 'i']) if (names.has(constant)) names.set(constant, constant)
  names.set('π', 'pi')
  const [x, y] = [write(a, names), write(b, names)]
  if (x === null || y === null) return null
  try {
    const difference = nerdamer(`simplify(${x}-${y})`).toString()
    if (difference === '0') return true
    return /^-?\d+(?:\/\d+)?$/.test(difference) ? false : null
  } catch {
    return null // Its own time limit, a division by zero, a form it does not know.
  } finally {
    nerdamer.flush() // It remembers every expression it was given.
  }
}
