// The traffic lab's figures over all folds, as a table for people and an object for programs. Knows no service.
import { AGGREGATIONS } from '../../search/aggregate.ts'
import { percentText, type Section, shareText, withInterval } from '../eval/markdown.ts'
import { mean } from '../eval/metrics.ts'
import { drawResamples, interval95, resample, weightedMean } from '../eval/resample.ts'
import { round } from '../recipe/reading.ts'
import { createRng } from '../rng.ts'
import type { Yardstick } from './memory.ts'
import type { Fold, Measured, TrafficRun } from './traffic.ts'

/** The same run in every fold. */
interface Row {
  readonly name: string
  readonly feedback: boolean
  readonly runs: readonly TrafficRun[]
  readonly candidates: readonly Measured[]
  /** What serves after the gate: the candidate where it was promoted, else the critic before. */
  readonly served: readonly Measured[]
}

export interface TrafficReport {
  readonly sections: readonly Section[]
  /** The last line. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Puts the folds together: test problems of all folds count alike. Every fold has the same runs. */
export function trafficReport(folds: readonly Fold[], seed: number): TrafficReport {
  const befores = folds.map(fold => fold.before)
  const rows = folds[0]!.runs.map(({ problems, feedback }, r): Row => {
    const runs = folds.map(fold => fold.runs[r]!)
    return {
      name: feedback ? String(problems) : `${problems}, no feedback`,
      feedback,
      runs,
      candidates: runs.map(run => run.candidate),
      served: runs.map((run, f) => (isPromoted(run) ? run.candidate : befores[f]!)),
    }
  })
  const figures = (by: 'candidates' | 'served') => ({
    with_feedback: Object.fromEntries(
      rows.filter(row => row.feedback).map(row => [row.name, percent(chosen(row[by]))]),
    ),
    without: percent(chosen(rows.find(row => !row.feedback)![by])),
  })
  return {
    sections: [
      {
        title: 'Pairs within a problem, on problems that were not given',
        columns: ['given', ...AGGREGATIONS, 'chosen', 'serves after the gate', 'promoted'],
        rows: [
          ['before', ...orderCells(befores, seed), '–', '–'],
          ...rows.map(({ name, candidates, served, runs }) => [
            name,
            ...orderCells(candidates, seed),
            percentText(percent(chosen(served))),
            `${runs.filter(isPromoted).length} of ${runs.length}`,
          ]),
        ],
        note: 'The figures are those of the candidates that the rounds made, refused ones too; beside them what serves after the gate.',
      },
      memorySection(befores, rows),
      roundSection(folds),
    ],
    json: {
      lab: 'traffic',
      ...figures('candidates'),
      before: percent(chosen(befores)),
      seconds: round(Math.max(...rows.flatMap(({ runs }) => runs.map(run => run.round.seconds)))),
      critic: befores[0]!.critic,
      served: figures('served'),
      forgetting: Object.fromEntries(
        yardsticksOf(befores).map(name => [
          name,
          round(Math.max(...rows.map(row => memoryOf(befores, name) - memoryOf(row.candidates, name)))),
        ]),
      ),
    },
  }
}

const isPromoted = ({ round: { decision } }: TrafficRun): boolean => decision === 'promoted'
/** Shares under the aggregation that was chosen on given problems. */
const chosen = (measured: readonly Measured[]): number[] =>
  measured.flatMap(({ shares, aggregation }) => shares[aggregation])
const percent = (shares: readonly number[]): number => round(100 * mean(shares))

/** Pairs under each aggregation, then under the chosen one with its interval. */
function orderCells(measured: readonly Measured[], seed: number): string[] {
  const by = AGGREGATIONS.map(name => percentText(percent(measured.flatMap(({ shares }) => shares[name]))))
  const shares = chosen(measured).map(share => 100 * share)
  const draws = drawResamples(shares.length, createRng(seed).fork('bootstrap'))
  return [...by, withInterval(interval95(resample(weightedMean(shares), shares.length, draws)), percentText)]
}

const yardsticksOf = ([first]: readonly Measured[]) => Object.keys(first!.memory) as Yardstick['name'][]
const memoryOf = (measured: readonly Measured[], name: Yardstick['name']): number =>
  mean(measured.map(({ memory }) => memory[name]!))

/** Step AUC of what must not be forgotten, mean over the folds. */
function memorySection(befores: readonly Measured[], rows: readonly Row[]): Section {
  const names = yardsticksOf(befores)
  const cells = (measured: readonly Measured[]) => names.map(name => percentText(memoryOf(measured, name)))
  return {
    title: 'Step AUC on what is not traffic, in percent',
    columns: ['given', ...names],
    rows: [
      ['before', ...cells(befores)],
      ...rows.map(({ name, candidates }) => [name, ...cells(candidates)]),
    ],
  }
}

/** What each round had and decided: for looking into, so the figures are taken as the job tells them. */
function roundSection(folds: readonly Fold[]): Section {
  const runs = folds.flatMap((fold, f) => fold.runs.map(run => ({ ...run, fold: f + 1 })))
  return {
    title: 'Rounds',
    columns: ['fold, given', 'trained on', 'steps', 'loss, outcomes', 'aggregation', 'seconds', 'decision'],
    rows: runs.map(
      ({ fold, problems, feedback, candidate, round: { figures, seconds, decision, reason } }) => {
        const { collected, learn, candidate_from } = figures as {
          collected?: { traffic_problems?: number }
          learn?: { steps?: number }
          candidate_from?: { outcomes?: { loss_before?: number; loss_after?: number } }
        }
        const { loss_before = null, loss_after = null } = candidate_from?.outcomes ?? {}
        return [
          `${fold}, ${problems}${feedback ? '' : ' without feedback'}`,
          String(collected?.traffic_problems ?? '–'),
          String(learn?.steps ?? '–'),
          loss_before === null ? '–' : `${shareText(loss_before)} → ${shareText(loss_after)}`,
          candidate.aggregation,
          seconds.toFixed(0),
          `${decision}: ${reason}`,
        ]
      },
    ),
    note: 'One in five of the given problems is held back by the round for its gate. The loss is the outcome path’s on problems left out of its fit, before and after.',
  }
}
