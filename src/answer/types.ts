// What reading a solution yields: steps with their places, and evidence about a step. Knows no critic and no LLM.

/** A step of a solution and where it stands: `text === solution.slice(start, end)`. */
export interface Step {
  readonly text: string
  readonly start: number
  readonly end: number
}

/**
 * Something the exact checker found in a step. `holds` is true or false when it could be decided exactly, null when it
 * could not (a number that comes from nowhere is a hint, not a verdict).
 */
export interface Evidence {
  readonly kind: 'equation' | 'number_from_nowhere'
  /** The checked words as they stand in the step, e.g. `48 / 2 = 24`. */
  readonly text: string
  readonly holds: boolean | null
  /** What the checker found there, in words: `the left side is 24, the right side 25`, `with x = 5, both sides are 13`. */
  readonly detail: string
}
