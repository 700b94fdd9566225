// Sources of labels that may be wrong, and a weight for each. Words and types only.

/** Sources that may be wrong; feedback, known answers and the game's proofs are what they are measured by. */
export const WEIGHED_SOURCES = ['agreement', 'tree', 'teacher'] as const
export type WeighedSource = (typeof WEIGHED_SOURCES)[number]

/** In [0, 1]: 0 is not learned from, 1 is as good as knowing. */
export type SourceWeights = Readonly<Record<WeighedSource, number>>
