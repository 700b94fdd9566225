// `spar eval search`: one pool, one critic or none, through the real search. Reads the options and puts the tables.
import { readPools } from '../train/eval/pool-data.ts'
import { publishedNotes } from '../train/eval/pools-report.ts'
import { evalSearch } from '../train/eval/search.ts'
import { searchSections } from '../train/eval/search-report.ts'
import { announced, openCritic } from './eval-critic.ts'
import { origin } from './eval-origin.ts'
import { putEvaluation } from './eval-output.ts'
import { type CliValues, required } from './options.ts'

/** @throws Error for a wrong option or record, AppError for an invalid artifact */
export async function evalSearchCommand(values: CliValues, seed: number): Promise<void> {
  const path = required(values.pool, 'pool')
  if (values.train !== undefined) throw new Error('eval search has no baselines: leave --train out')
  const pools = readPools(path)
  const critic = values['only-recorded'] ? null : await openCritic(values)
  try {
    const figures = await evalSearch(pools, critic && announced(critic.judge), { seed })
    if (figures.rows.length === 0)
      throw new Error(`${path} has no recorded scores: leave --only-recorded out`)
    const { facts, json } = origin(critic, values, seed, [path])
    putEvaluation(
      {
        title: `Searching with ${critic?.judge.name ?? 'recorded critics'}`,
        facts: [
          ...facts,
          `${figures.problems} problems, ${figures.candidates} samples, ${figures.searches} searches`,
        ],
        sections: searchSections(figures),
        json: { eval: 'search', ...json, ...figures, notes: publishedNotes(figures) },
      },
      values.out,
      text => void process.stdout.write(text),
    )
  } finally {
    await critic?.close()
  }
}
