// Remembers which values a solution states for its variables, and forgets those it only tries. Knows no equation.
import { equals, type Rational } from './rational.ts'

/** Values stated at most; later names are not learned, so that a hostile text costs linear time. */
const MAX_NAMES = 64

// Words of a text that tries values, lists several or sets out conditions.
const SUPPOSES =
  /\b(?:if|suppose|assume|when|cases?|or|try|guess|consider|example|either|possibl[ey]|let|say|would|could|might|solve|equations|check|where|for|values?|solutions?|roots?)\b/i

interface Statement {
  /** Null once the name was given a second value, or one that was only supposed. */
  readonly value: Rational | null
  /** Written with a decimal, so that it may be rounded. */
  readonly isRounded: boolean
  readonly text: number
}

/** What is known of some names together. */
interface Known {
  readonly point: ReadonlyMap<string, Rational>
  readonly isRounded: boolean
  /** One of them was stated in the text begun last. */
  readonly isRecent: boolean
}

/** The values stated so far by the texts of one solution. */
export interface Stated {
  /** Begins the next text: what it supposes is not stated. */
  begin(text: string): void
  /** Takes in `name = value`; null for a value that is not single or not exact. */
  learn(name: string, value: Rational | null, isRounded: boolean): void
  /** The stated values of all these names; null unless all are known. */
  valuesOf(names: ReadonlySet<string>): Known | null
  /** A memory of its own that begins with what this one knows. */
  fork(): Stated
}

/** An empty memory, or one that goes on after `current` texts from what they stated. */
export function createStated(before: ReadonlyMap<string, Statement> = new Map(), texts = 0): Stated {
  const statements = new Map(before)
  let current = texts
  let read = ''
  return {
    begin(text) {
      current++
      read = text
    },
    learn(name, given, isRounded) {
      const value = given === null || SUPPOSES.test(read) ? null : given
      const before = statements.get(name)
      if (before === undefined) {
        if (statements.size < MAX_NAMES) statements.set(name, { value, isRounded, text: current })
      } else if (value === null || before.value === null || !equals(before.value, value)) {
        statements.set(name, { value: null, isRounded, text: current })
      }
    },
    valuesOf(names) {
      const point = new Map<string, Rational>()
      let isRecent = false
      let isRounded = false
      for (const name of names) {
        const statement = statements.get(name)
        if (statement === undefined || statement.value === null) return null
        point.set(name, statement.value)
        isRecent ||= statement.text === current
        isRounded ||= statement.isRounded
      }
      return { point, isRounded, isRecent }
    },
    fork: () => createStated(statements, current),
  }
}
