// A labelled solution, whatever its source. Knows no file format and no model.

/** Where labels come from; each source has its own weight in the loss. */
export type Source =
  | 'human'
  | 'injected'
  | 'construction'
  | 'sneaky'
  | 'outcome'
  | 'feedback'
  | 'tree'
  | 'teacher'
  | 'text'

/** P(step is right) as labelled, null where nothing is known (after the first error, say). */
export type StepLabel = number | null

export interface Example {
  readonly problem: string
  readonly steps: readonly string[]
  /** length = steps.length */
  readonly labels: readonly StepLabel[]
  readonly source: Source
  /** True when the text is worth imitating: the language model learns it. */
  readonly imitate: boolean
  /** Whole-solution outcome where known: 1 right, 0 wrong. Compared with other outcomes of the same problem. */
  readonly outcome?: 0 | 1
  /** The model that wrote the solution, where known. */
  readonly writer?: string
}

/** Two examples of which the first is better; `from`: compare the mean score of steps from this one on. */
export interface Comparison {
  readonly better: Example
  readonly worse: Example
  /** Index of the first step in which they differ; 0 compares whole solutions. */
  readonly from: number
}

/** Labels of a solution whose first wrong step is known: right before it, wrong at it, unknown after; -1 = all right. */
export function labelsFromFirstError(steps: number, firstError: number): StepLabel[] {
  return Array.from({ length: steps }, (_, i) =>
    firstError < 0 || i < firstError ? 1 : i === firstError ? 0 : null,
  )
}
