// Tables and notes as Markdown, numbers as people read them. Knows no figure's meaning.
import type { Estimate } from './resample.ts'

/** A heading, a table and what a reader must know to read it. */
export interface Section {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly note?: string
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`

/** Sections one after the other. The first column is text, the others are numbers. */
export function markdown(sections: readonly Section[]): string {
  return sections
    .map(({ title, columns, rows, note }) => {
      const table =
        line(columns) + line(columns.map((_, i) => (i === 0 ? '---' : '---:'))) + rows.map(line).join('')
      return `## ${title}\n\n${table}${note ? `\n${note}\n` : ''}`
    })
    .join('\n')
}

/** A number with so many decimals; a dash for what cannot be said. */
export const fixed = (x: number | null, digits: number): string =>
  x === null || !Number.isFinite(x) ? '–' : x.toFixed(digits)

/** A percentage, `42.0`. */
export const percentText = (x: number | null): string => fixed(x, 1)

/** A figure in [0, 1], `0.712`. */
export const shareText = (x: number | null): string => fixed(x, 3)

/** A figure and its interval, `42.0 [39.1, 45.2]`. */
export function withInterval(estimate: Estimate | null, text: (x: number | null) => string): string {
  if (estimate === null || !Number.isFinite(estimate.value)) return '–'
  const { value, low, high } = estimate
  return Number.isFinite(low) ? `${text(value)} [${text(low)}, ${text(high)}]` : text(value)
}
