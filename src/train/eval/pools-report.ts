// Figures of best-of-N pools as tables for people. Computes nothing.
import { AGGREGATIONS } from '../../search/aggregate.ts'
import { percentText, type Section, shareText, withInterval } from './markdown.ts'
import {
  type BySize,
  CALIBRATED,
  type ChoiceFigures,
  type ChoiceRow,
  DRAWS,
  type PoolFigures,
} from './pools.ts'
import { binRows } from './reliability.ts'

/** The licence of the published scores asks to be named wherever they are shown. */
const PUBLISHED_NOTE =
  '† Published scores that came with the pool (StrictPRMBench, CC-BY-4.0), not computed here.'

const nameOf = ({ critic, source }: ChoiceRow): string => (source === 'published' ? `${critic} †` : critic)

/** The notes that these figures must not be shown without. */
export const publishedNotes = ({ rows }: ChoiceFigures): string[] =>
  rows.some(({ source }) => source === 'published') ? [PUBLISHED_NOTE] : []

export function poolSections(figures: PoolFigures): Section[] {
  const published = publishedNotes(figures)
  const draws = `For N below a pool's size the mean over ${DRAWS} seeded draws; 95 % intervals by bootstrap over problems.`
  return [
    pairs(figures, published),
    choices('Weighted vote: problems solved (%)', figures, row => row.weighted, [
      `The answer with the largest sum of scores, as weighted best-of-N searches choose it. ${draws}`,
      ...published,
    ]),
    choices('Best-of-N: problems solved (%)', figures, row => row.best, [
      `The candidate with the highest score. ${draws}`,
      ...published,
    ]),
    calibration(figures),
  ]
}

function pairs({ rows, problems, mixed }: PoolFigures, published: readonly string[]): Section {
  return {
    title: 'Pairs within a problem in the right order (%)',
    columns: ['critic', ...AGGREGATIONS],
    rows: [...Map.groupBy(rows, nameOf)].map(([name, ofCritic]) => [
      name,
      ...AGGREGATIONS.map(by =>
        withInterval(ofCritic.find(row => row.aggregation === by)?.pairs ?? null, percentText),
      ),
    ]),
    note: [
      `Share of (right, wrong) pairs of candidates of one problem, mean over the ${mixed} of ${problems} problems that have both; ties half. The best aggregation of four is an upper bound: settle on one elsewhere.`,
      ...published,
    ].join(' '),
  }
}

/** Problems solved by one way to choose, with what to compare it with on top. */
export function choices(
  title: string,
  figures: ChoiceFigures,
  of: (row: ChoiceRow) => BySize,
  notes: readonly string[],
): Section {
  const cells = (bySize: BySize) => bySize.map(estimate => withInterval(estimate, percentText))
  return {
    title,
    columns: ['critic, aggregation', ...figures.sizes.map(n => `N = ${n}`)],
    rows: [
      ['one sample', ...cells(figures.sizes.map(() => figures.one_sample))],
      ['majority', ...cells(figures.majority)],
      ['oracle (some candidate is right)', ...cells(figures.oracle)],
      ...figures.rows.map(row => [`${nameOf(row)}, ${row.aggregation}`, ...cells(of(row))]),
    ],
    note: notes.join(' '),
  }
}

function calibration({ calibration: bins, ece, rows }: PoolFigures): Section {
  const ofTested = rows.filter(row => row.source === 'tested')
  return {
    title: `Calibration of ${ofTested[0]!.critic}: lowest step score as P(solution is right)`,
    columns: [CALIBRATED, 'candidates', 'mean score', 'share right'],
    rows: binRows(bins),
    note: `Expected calibration error: ${shareText(ece)} (${ofTested.map(row => `${row.aggregation} ${shareText(row.ece)}`).join(', ')}). A critic is calibrated on steps, so no aggregate need be.`,
  }
}
