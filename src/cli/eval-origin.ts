// Where the figures of an evaluation come from: critic, data with their hashes, seed. Knows no figure.
import { hashFiles } from '../train/data/jsonl.ts'
import { humanFiles } from '../train/eval/hand-features.ts'
import { subsetName } from '../train/eval/labelled.ts'
import { RESAMPLES } from '../train/eval/resample.ts'
import type { OpenedCritic } from './eval-critic.ts'
import type { CliValues } from './options.ts'

/** What is said of a critic. */
interface NamedCritic {
  readonly judge: Pick<OpenedCritic['judge'], 'name' | 'threshold'>
  readonly source: string
}

const criticFact = ({ judge, source }: NamedCritic): string =>
  `critic ${judge.name} (${source}), own τ ${judge.threshold ?? 'none'}`

/** What every JSON line and every report says of where its figures come from. `critic` is null where none was asked. */
export function origin(critic: NamedCritic | null, values: CliValues, seed: number, data: readonly string[]) {
  const hash = hashFiles(data)
  const files = data.map(path => ({ name: subsetName(path), sha256: hashFiles([path]) }))
  const trained = values.train === undefined ? null : hashFiles(humanFiles(values.train))
  return {
    facts: [
      ...(critic === null ? ['no critic asked'] : [criticFact(critic)]),
      ...files.map(({ name, sha256 }) => `data ${name}, sha256 ${sha256}`),
      `seed ${seed}, ${RESAMPLES} resamples`,
      ...(trained === null ? [] : [`hand features fitted on ${values.train}, sha256 ${trained}`]),
    ],
    json: {
      critic: critic?.judge.name ?? null,
      source: critic?.source ?? null,
      threshold: critic?.judge.threshold ?? null,
      data: files.map(({ name }) => name).join(),
      data_hash: hash,
      files,
      train_hash: trained,
      seed,
      resamples: RESAMPLES,
    },
  }
}
