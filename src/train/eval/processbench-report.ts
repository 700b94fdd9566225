// ProcessBench figures as tables for people. Computes nothing.
import { percentText, type Section, shareText, withInterval } from './markdown.ts'
import type { AtThreshold, ProcessBenchFigures, ProcessBenchRow } from './processbench.ts'
import { binRows } from './reliability.ts'
import type { GroupFigures } from './step-groups.ts'

const f1Cells = (at: AtThreshold | null, mark = ''): string[] =>
  at === null
    ? ['–', '–', '–']
    : [withInterval(at.f1, percentText) + mark, percentText(at.acc_error), percentText(at.acc_correct)]

/** All tables, subset by subset, then means, then SPC's figure, kept apart, then calibration. */
export function processBenchSections(figures: ProcessBenchFigures): Section[] {
  const bySubset = [...Map.groupBy(figures.rows, row => row.subset)]
  return [
    ...bySubset.map(([subset, rows]) => firstErrors(subset, rows)),
    ...(figures.means.length > 0 ? [means(figures)] : []),
    ...bySubset.flatMap(([subset, rows]) => [
      ...groupTable(`Step AUC within step length, ${subset}`, rows, row => row.by_length, 'auc', LENGTH_NOTE),
      ...groupTable(`Step AUC by position of the step, ${subset}`, rows, row => row.by_position, 'auc'),
      ...groupTable(
        `First errors found by position, ${subset} (%)`,
        rows,
        row => row.by_position,
        'found',
        FOUND_NOTE,
      ),
      ...groupTable(`Step AUC by kind of error, ${subset}`, rows, row => row.by_kind, 'auc', KIND_NOTE),
      ...groupTable(
        `First errors found by kind, ${subset} (%)`,
        rows,
        row => row.by_kind,
        'found',
        FOUND_NOTE,
      ),
    ]),
    balanced(figures.rows),
    ...calibration(figures),
  ]
}

const LENGTH_NOTE =
  'Fifths of the steps by characters, with their counts of right and wrong ones. Within a fifth the length of a step helps little (most in the last one, which is wide): a critic near .5 here only knew the length.'
const FOUND_NOTE =
  'Of the solutions whose first wrong step is there, how many are predicted exactly at the shared threshold.'
const KIND_NOTE = 'Wrong steps of the kind against all right steps of the file.'

function firstErrors(subset: string, rows: readonly ProcessBenchRow[]): Section {
  const { from, chosen_here } = rows[0]!.shared
  return {
    title: `First wrong step, ${subset}`,
    columns: [
      'critic',
      'F1 at own τ',
      'acc_error',
      'acc_correct',
      `F1, τ from ${from}`,
      'acc_error',
      'acc_correct',
      'τ',
      'step AUC',
    ],
    rows: rows.map(row => [
      row.critic,
      ...f1Cells(row.own),
      ...f1Cells(row.shared, chosen_here ? ' *' : ''),
      shareText(row.shared.threshold),
      withInterval(row.step_auc, shareText),
    ]),
    note: [
      '95 % intervals by bootstrap over problems, thresholds held fixed.',
      ...(chosen_here ? ['* This τ was chosen on these very solutions: the F1 is an upper bound.'] : []),
      ...rows.flatMap(({ critic, unscored }) =>
        unscored > 0 ? [`${critic} left ${unscored} steps unscored.`] : [],
      ),
    ].join(' '),
  }
}

const means = ({ means: rows, threshold_from }: ProcessBenchFigures): Section => ({
  title: 'Mean of the subsets',
  columns: ['critic', 'F1 at own τ', `F1, τ from ${threshold_from}`, 'step AUC'],
  rows: rows.map(row => [
    row.critic,
    withInterval(row.own_f1, percentText),
    withInterval(row.shared_f1, percentText),
    withInterval(row.step_auc, shareText),
  ]),
  note: `Each subset weighs the same. The second F1 contains that of ${threshold_from}, on which its τ was chosen.`,
})

/** Critics by groups; no table when there are no groups. */
function groupTable(
  title: string,
  rows: readonly ProcessBenchRow[],
  groupsOf: (row: ProcessBenchRow) => readonly GroupFigures[],
  figure: 'auc' | 'found',
  note?: string,
): Section[] {
  const groups = groupsOf(rows[0]!)
  if (groups.length === 0) return []
  const text = figure === 'auc' ? shareText : percentText
  return [
    {
      title,
      columns: ['critic', ...groups.map(({ group, right, wrong }) => `${group} (${right} + ${wrong})`)],
      rows: rows.map(row => [row.critic, ...groupsOf(row).map(g => text(g[figure]))]),
      ...(note === undefined ? {} : { note }),
    },
  ]
}

const balanced = (rows: readonly ProcessBenchRow[]): Section => ({
  title: 'Balanced step accuracy (SPC), not to be compared with F1',
  columns: ['critic, subset', 'at own τ', 'at the shared τ'],
  rows: rows.map(row => [
    `${row.critic}, ${row.subset}`,
    percentText(row.own?.balanced_step_accuracy ?? null),
    percentText(row.shared.balanced_step_accuracy),
  ]),
  note: 'Accuracy on single steps, right and wrong ones weighing the same: 50 for one who knows nothing.',
})

function calibration({ calibration: bins, ece, rows }: ProcessBenchFigures): Section[] {
  const eces = rows.flatMap(row => (row.ece === null ? [] : [`${row.subset}: ${shareText(row.ece)}`]))
  return [
    {
      title: `Calibration of ${rows[0]!.critic}`,
      columns: ['score', 'steps', 'mean score', 'share right'],
      rows: binRows(bins),
      note: `Expected calibration error over ten bins: ${shareText(ece)} (${eces.join('; ')}). Baselines are left out: their scores are no probabilities.`,
    },
  ]
}
