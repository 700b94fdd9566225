// `spar fit ensemble`: asks a service's critics about labelled steps and prints the entry of an ensemble for SPAR_CRITICS. Knows
// no arithmetic.
import { fitEnsemble } from '../train/eval/ensemble-fit.ts'
import { openHttpJudge } from '../train/eval/http-judge.ts'
import { readSubsets } from '../train/eval/labelled.ts'
import { shareText } from '../train/eval/markdown.ts'
import { announced, batchOf } from './eval-critic.ts'
import { origin } from './eval-origin.ts'
import { putEvaluation } from './eval-output.ts'
import { type CliValues, numberOption, required } from './options.ts'

/** @throws Error for a wrong option or record, or when the service does not answer */
export async function fitCommand(what: string | undefined, values: CliValues): Promise<void> {
  if (what !== 'ensemble') throw new Error('say what to fit: ensemble')
  const url = required(values.url, 'url')
  const members = required(values.members, 'members').split(',')
  const data = required(values.data, 'data').split(',')
  const seed = numberOption(values.seed, 'seed', 1, 0, 2 ** 31)
  const items = readSubsets(data).flatMap(({ items }) => items)
  const judges = []
  for (const version of members)
    judges.push(announced(await openHttpJudge(url, { version, ...batchOf(values) })))
  const fit = await fitEnsemble(items, judges, { seed })
  const entry = {
    kind: 'ensemble',
    threshold: round(fit.threshold),
    bias: round(fit.bias),
    members: members.map((critic, m) => ({ critic, weight: round(fit.weights[m]!) })),
  }
  const { facts, json } = origin(null, values, seed, data)
  putEvaluation(
    {
      title: `An ensemble of ${members.join(', ')}`,
      facts: [
        ...facts.slice(1),
        `${fit.steps} steps of known truth, ${fit.passed_over} passed over because a member gave no score`,
        `entry for SPAR_CRITICS: ${JSON.stringify(entry)}`,
      ],
      sections: [
        {
          title: 'On steps',
          columns: ['critic', 'step AUC', 'log loss', 'ECE'],
          rows: fit.rows.map(({ critic, step_auc, log_loss, ece }) => [
            critic,
            ...[step_auc, log_loss, ece].map(shareText),
          ]),
          note: 'The ensemble’s scores come from weights that were fitted on other problems (5 folds); the entry’s from all.',
        },
      ],
      json: { fit: 'ensemble', ...json, ...fit, entry },
    },
    values.out,
    text => void process.stdout.write(text),
  )
}

const round = (x: number): number => Number(x.toFixed(6))
