// Checks the equations that plain arithmetic leaves open: roots and π, simple identities, and values stated for variables.
// Reads the texts of one solution in order; knows no model.
import { findChains, type Side } from './chains.ts'
import { type Formula, namesOf, someFormula } from './formula.ts'
import { parseFormula } from './formula-parse.ts'
import { valueAt } from './formula-value.ts'
import { compareAt, type Decision, decideIdentity, hasDecimal } from './identity.ts'
import { SOFT_WORDS } from './lexicon.ts'
import { format, type Rational } from './rational.ts'
import { createStated, type Stated } from './stated.ts'
import type { Evidence } from './types.ts'

/** Checks the texts of one solution in order; the problem comes first. */
export interface Algebra {
  read(text: string): Evidence[]
  /** A checker of its own for another solution that begins as this one does so far. */
  fork(): Algebra
}

interface Parsed extends Side {
  readonly formula: Formula | null
  readonly names: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()
const NOWHERE: ReadonlyMap<string, Rational> = new Map()

// Words of a text that sets equations up rather than claims that they hold.
const SETS_UP =
  /\b(?:equations?|solv\w*|plug\w*|substitut\w*|satisf\w*|set|equate|check\w*|tr(?:y|ies|ied)|want|need)\b/i

/** What every formula has that says more than plain arithmetic, which is another checker's: a letter, a command, bars or degrees. */
const BEYOND_PLAIN = /[\p{L}\\|°]/u

function parse(side: Side): Parsed {
  const formula = side.text === '' ? null : parseFormula(side.text)
  return { ...side, formula, names: formula === null ? NONE : namesOf(formula) }
}

const bareName = ({ formula }: Parsed): string | null => (formula?.kind === 'name' ? formula.name : null)

/** Whether the arithmetic checker reads it: no root, no π, no bars, no function. */
const isPlain = (formula: Formula): boolean =>
  !someFormula(
    formula,
    part =>
      part.kind === 'name' ||
      (part.kind === 'binary' && part.op === 'root') ||
      (part.kind === 'unary' && part.op !== 'neg' && part.op !== '!'),
  )

/** A result rather than a calculation: a number, or the root of one. */
const isResult = (formula: Formula): boolean =>
  formula.kind === 'number' ||
  (formula.kind === 'binary' && formula.op === 'root' && formula.a.kind === 'number')

function decideNumbers(a: Formula, b: Formula, setsUp: boolean): Decision | null {
  if (isPlain(a) && isPlain(b)) return null
  const decision = compareAt(a, b)
  const isClaim = isResult(a) || isResult(b) || !setsUp
  return decision?.holds === false && !isClaim ? null : decision
}

function decideWith(a: Formula, b: Formula, stated: Stated, names: ReadonlySet<string>): Decision | null {
  const known = stated.valuesOf(names)
  const decision = known === null ? null : compareAt(a, b, known.point, known.isRounded)
  // A value from an earlier text may have been another case's.
  if (known === null || decision === null || (!decision.holds && !known.isRecent)) return null
  const values = [...known.point].map(([name, value]) => `${name} = ${format(value)}`).join(', ')
  return { holds: decision.holds, detail: `with ${values}, ${decision.detail}` }
}

function decidePair(left: Parsed, right: Parsed, stated: Stated, setsUp: boolean): Decision | null {
  const { formula: a } = left
  const { formula: b } = right
  if (a === null || b === null || left.text.replace(/\s/g, '') === right.text.replace(/\s/g, '')) return null
  const names = new Set([...left.names, ...right.names])
  if (names.size === 0) return decideNumbers(a, b, setsUp)
  const isStatement = names.size === 1 && (bareName(left) ?? bareName(right)) !== null
  if (isStatement) return null
  const identity = decideIdentity(a, b, names)
  if (identity?.holds) return identity
  return decideWith(a, b, stated, names) ?? identity
}

/** An `x = 5` at the ends of a chain is a statement about x. */
function learn(sides: readonly Parsed[], goesOn: boolean, stated: Stated): void {
  const name = bareName(sides[0]!)
  const last = sides.at(-1)!
  if (name === null || last.formula === null || last.names.size > 0) return
  const value = goesOn ? null : valueAt(last.formula, NOWHERE).exact
  stated.learn(name, value, hasDecimal(last.formula))
}

/**
 * A checker for one solution of `problem`. It decides neighbours of chains `a = b = c` written as formulas: numbers with roots,
 * π, bars or sines; identities; and what holds or fails with the values that the same text states for variables
 * (`6y + 1 = 145, so y = 24/5`). Says false only where no equation to solve could be meant. Linear in the text's length.
 */
export function createAlgebra(problem: string): Algebra {
  const algebra = algebraAfter(createStated())
  algebra.read(problem)
  return algebra
}

function algebraAfter(stated: Stated): Algebra {
  const read = (text: string): Evidence[] => {
    stated.begin(text)
    const chains = findChains(text)
      .filter(({ sides }) => sides.some(side => BEYOND_PLAIN.test(side.text)))
      .map(({ sides, goesOn }) => ({ sides: sides.map(parse), goesOn }))
    if (chains.length === 0) return []
    for (const { sides, goesOn } of chains) learn(sides, goesOn, stated)
    const words = text.toLowerCase().match(/[a-z']+/g) ?? []
    const isSoft = text.includes('?') || words.some(word => SOFT_WORDS.has(word))
    const setsUp = SETS_UP.test(text)
    return chains.flatMap(({ sides }) =>
      sides.slice(1).flatMap((right, i): Evidence[] => {
        const left = sides[i]!
        const found = decidePair(left, right, stated, setsUp)
        if (found === null || (isSoft && !found.holds)) return []
        return [{ kind: 'equation', text: text.slice(left.start, right.end), ...found }]
      }),
    )
  }
  return { read, fork: () => algebraAfter(stated.fork()) }
}
