// Weights that make right and wrong labels of a source count the same. Knows no batch.
import type { Source } from '../data/example.ts'
import type { Unit } from '../data/units.ts'
import type { LabelWeight } from '../fit/batch.ts'

/** Labels of a source average weight 1, half of it on the right ones and half on the wrong ones. */
export function classWeights(units: readonly Unit[]): LabelWeight {
  const counts = new Map<Source, { right: number; wrong: number }>()
  for (const { rows } of units) {
    for (const { source, labels } of rows) {
      const count = counts.get(source) ?? { right: 0, wrong: 0 }
      counts.set(source, count)
      for (const label of labels) if (label !== null) count[label >= 0.5 ? 'right' : 'wrong']++
    }
  }
  return ({ source }, label) => {
    const count = counts.get(source)
    if (!count || count.right === 0 || count.wrong === 0) return 1
    return (count.right + count.wrong) / (2 * count[label >= 0.5 ? 'right' : 'wrong'])
  }
}
