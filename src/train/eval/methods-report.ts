// Figures of search methods at equal budgets as tables for people. Computes nothing.
import { fixed, percentText, type Section, withInterval } from './markdown.ts'
import { WIDTH_RULE } from './method-widths.ts'
import type { MethodFigures, MethodRow } from './methods.ts'
import type { Estimate } from './resample.ts'

const READING =
  'Solved: in percent of the problems; beside it the difference on the same problems to one sample and to the majority vote at the same budget, in points; ' +
  '95 % intervals by bootstrap over problems. Tokens: completion tokens of the LLM. Tokens, calls and seconds are means over problems. ' +
  'Cut: ended by the budget before the method had done all it meant to. Within a limit on tokens calls that could overrun it wait for each other, ' +
  'so seconds are not those of a search without one.'

const COLUMNS = [
  'method',
  'solved %',
  'over one sample',
  'over majority',
  'tokens',
  'calls',
  'seconds',
  'cut %',
  'no answer %',
  'failed %',
]

const signed = (x: number | null): string => (x !== null && x > 0 ? `+${percentText(x)}` : percentText(x))
const difference = (estimate: Estimate | null): string => withInterval(estimate, signed)

function nameOf({ method, budget, params }: MethodRow): string {
  if (budget === null) return 'one sample'
  const widths = Object.entries(params).map(([name, value]) => `${name} ${value}`)
  const name = method === 'self_consistency' ? 'self_consistency (majority vote)' : method
  return `${name}, ${widths.join(', ')}`
}

function cells(row: MethodRow): string[] {
  return [
    nameOf(row),
    withInterval(row.solved, percentText),
    difference(row.over_one_sample),
    difference(row.over_majority),
    fixed(row.tokens, 0),
    fixed(row.calls, 1),
    fixed(row.seconds, 2),
    percentText(row.cut),
    percentText(row.unanswered),
    percentText(row.failed),
  ]
}

/** One table a budget, each with the one sample on top; how to read them stands below the last. */
export function methodSections({ one_sample: single, rows, left_out: leftOut }: MethodFigures): Section[] {
  const missing = leftOut.map(({ method, reason }) => `Without ${method}: ${reason}.`)
  const tables = [...Map.groupBy(rows, ({ budget }) => budget).values()]
  return tables.map(ofBudget => {
    const { budget, max_tokens: limit } = ofBudget[0]!
    return {
      title: `Budget of ${budget} samples: at most ${limit} completion tokens`,
      columns: COLUMNS,
      rows: [single, ...ofBudget].map(cells),
      ...(ofBudget === tables.at(-1) ? { note: [WIDTH_RULE, READING, ...missing].join(' ') } : {}),
    }
  })
}
