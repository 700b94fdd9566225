// Figures of replayed searches as tables for people. Computes nothing.
import type { Section } from './markdown.ts'
import { choices, publishedNotes } from './pools-report.ts'
import type { SearchFigures } from './search.ts'

const SAMPLES =
  'Every row has the same samples: the first N of each problem, in the order of the pool. 95 % intervals by bootstrap over problems.'
const MANY = 'The best of four aggregations is an upper bound: settle on one elsewhere.'

export function searchSections(figures: SearchFigures): Section[] {
  const notes = [SAMPLES, MANY, ...publishedNotes(figures)]
  return [
    choices('best_of_n: problems solved (%)', figures, row => row.best, notes),
    choices('weighted_best_of_n: problems solved (%)', figures, row => row.weighted, notes),
  ]
}
