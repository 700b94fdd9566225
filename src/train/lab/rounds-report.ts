// The rounds lab's figures as tables for people and an object for programs. Knows no critic.
import { percentText, type Section, shareText } from '../eval/markdown.ts'
import { round } from '../recipe/reading.ts'
import type { LabRound } from './rounds.ts'

/** One run of rounds. */
export interface RoundsRun {
  /** `full`, or what its rounds were run without. */
  readonly name: string
  readonly rows: readonly LabRound[]
}

export interface RoundsReport {
  readonly sections: readonly Section[]
  /** The last line: the rounds of the first run, and those of the others by name. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Puts the runs into one table; the first is the one that is not ablated, where there is one. */
export function roundsReport(runs: readonly RoundsRun[]): RoundsReport {
  const [first, ...others] = runs
  return {
    sections: [mainSection(runs), writerSection(runs), ...runs.map(opponentSection), reasonSection(runs)],
    json: {
      lab: 'rounds',
      run: first!.name,
      rounds: first!.rows.map(line),
      ...(others.length > 0 && {
        others: Object.fromEntries(others.map(({ name, rows }) => [name, rows.map(line)])),
      }),
    },
  }
}

/** One round for programs. Percentages but for `ece`; null for what was not measured. */
const line = (row: LabRound) => ({
  round: row.round,
  step_accuracy: round(row.serving.writers[0]!.step_accuracy),
  processbench_f1: row.serving.processBench && round(row.serving.processBench.f1),
  processbench_step_accuracy: row.serving.processBench && round(row.serving.processBench.step_accuracy),
  sneaky_success: round(row.sneakySuccess.current),
  frozen_worst_drop: round(row.frozenWorstDrop),
  ece: round(row.serving.writers[0]!.ece),
  decision: row.decision,
  critic: row.serving.version,
  candidate_step_accuracy: round(row.candidate.writers[0]!.step_accuracy),
  seconds: round(row.seconds),
})

function mainSection(runs: readonly RoundsRun[]): Section {
  return {
    title: 'Rounds',
    columns: [
      'run, round',
      'decision',
      'step accuracy',
      'of the candidate',
      'step AUC',
      'ProcessBench F1',
      'and step accuracy',
      'sneaky success',
      'against critics before',
      'frozen, worst drop',
      'ECE',
      'seconds',
    ],
    rows: runs.flatMap(({ name, rows }) =>
      rows.map(row => {
        const { serving, candidate, sneakySuccess } = row
        const [errors] = serving.writers
        return [
          `${name}, ${row.round}`,
          row.decision,
          percentText(errors!.step_accuracy),
          percentText(candidate.writers[0]!.step_accuracy),
          percentText(errors!.step_auc),
          percentText(serving.processBench?.f1 ?? null),
          percentText(serving.processBench?.step_accuracy ?? null),
          percentText(sneakySuccess.current),
          Object.values(sneakySuccess.frozen).map(percentText).join(' ') || '–',
          percentText(row.frozenWorstDrop),
          shareText(errors!.ece),
          row.seconds.toFixed(0),
        ]
      }),
    ),
    note:
      'In percent, of the critic that serves after the round. Step accuracy: steps that a real model wrote on held-out problems, right and wrong ones weighing ' +
      'the same, at the critic’s own τ. Sneaky success: wrong steps by the round’s own generator that pass for right.',
  }
}

/** Every writer, candidates included: what the round can teach is one question, whether its critic may serve another. */
function writerSection(runs: readonly RoundsRun[]): Section {
  const names = runs[0]!.rows[0]!.serving.writers.map(({ name }) => name)
  return {
    title: 'Errors that real models made: the round’s candidate',
    columns: ['run, round', ...names.flatMap(name => [`${name}: step accuracy`, 'AUC', 'ECE'])],
    rows: runs.flatMap(({ name, rows }) =>
      rows.map(({ round: number, candidate }) => [
        `${name}, ${number}`,
        ...candidate.writers.flatMap(({ step_accuracy, step_auc, ece }) => [
          percentText(step_accuracy),
          percentText(step_auc),
          shareText(ece),
        ]),
      ]),
    ),
  }
}

function opponentSection({ name, rows }: RoundsRun): Section {
  const generators = Object.keys(rows.at(-1)!.accuracy)
  return {
    title: `Against frozen generators: ${name}`,
    columns: ['after round', ...generators.map(generator => `${generator}: accuracy / success`)],
    rows: rows.map(row => [
      String(row.round),
      ...generators.map(generator =>
        row.accuracy[generator] === undefined
          ? '–'
          : `${percentText(row.accuracy[generator])} / ${percentText(row.success[generator]!)}`,
      ),
    ]),
    note: 'All generators edit the same held-out solutions; each critic judges the same edits.',
  }
}

function reasonSection(runs: readonly RoundsRun[]): Section {
  return {
    title: 'Decisions',
    columns: ['run, round', 'decision'],
    rows: runs.flatMap(({ name, rows }) =>
      rows
        .filter(row => row.decision !== 'start')
        .map(row => [`${name}, ${row.round}`, `${row.decision}: ${row.reason}`]),
    ),
  }
}
