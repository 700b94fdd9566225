// Recipe of a critic on a frozen base: the base's first layers read each solution once, and the step head learns from what they left. One
// command, from data and base to artifact. Choices are logged in models/LOG.md.

import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { featureInputs } from '../../critic/features.ts'
import type { Manifest } from '../../critic/manifest.ts'
import type { CritiqueItem } from '../../critic/types.ts'
import { exportCritic } from '../export.ts'
import { firstLayers } from '../frozen/cut.ts'
import { chooseReading, type Reading, tokensOf } from '../frozen/lessons.ts'
import { fitLinearText, type LabelledState, logitWith, withLinearText } from '../frozen/linear-text.ts'
import { type ReadProgress, readStates } from '../frozen/read-states.ts'
import { openStateFile, type StateFile } from '../frozen/state-file.ts'
import { initWeights, type Weights } from '../model/config.ts'
import { logitByFeatures } from '../model/feature-logit.ts'
import { createRng } from '../rng.ts'
import { BUCKETS, MAX_LENGTH, type RecipeContext } from './base.ts'
import { humanExamples, labelledLessons } from './critic-pools.ts'
import {
  type BaseStart,
  criticFacts,
  featurePathOf,
  openBase,
  REPLAY,
  startFeatures,
} from './critic-start.ts'
import { finishCritic, round } from './reading.ts'

/** Share of a base's layers that are read when nobody says how many: what its later ones are for is the next word (models/LOG.md). */
const LAYER_SHARE = 0.4
/** Tokens read when nobody says how many: all human-labelled solutions that fit a row. */
export const READ_TOKENS = 1_400_000
/** Padded tokens the base reads at once. */
const BATCH_TOKENS = 768
/** Milliseconds between two lines about reading. */
const TELL_EVERY = 10_000

export interface FrozenContext extends Omit<RecipeContext, 'budget'> {
  /** Folder of the base's artifact. */
  readonly baseDir: string
  /** Layers of the base that read, the first ones; a share of all when absent. */
  readonly layers?: number
  /** Tokens that are read at most, those of held-back solutions included. */
  readonly readTokens: number
  /** Folder of the hidden states; the states of the same layers of the same base are not computed twice. */
  readonly statesDir: string
  /** Folder of a critic whose feature path is taken as it is, so that what differs is the text; a path of its own is trained when absent. */
  readonly featuresFrom?: string
  /** Steps of a feature path of its own; as many as any critic's when absent. */
  readonly featureSteps?: number
}

/** Tells of reading, every ten seconds. */
function tellReading({ print }: FrozenContext): (progress: ReadProgress) => void {
  let told = Number.NEGATIVE_INFINITY
  return ({ tokens, of, elapsedMs }) => {
    if (elapsedMs - told < TELL_EVERY && tokens < of) return
    told = elapsedMs
    const speed = tokens / Math.max(1, elapsedMs)
    const left = Math.ceil((of - tokens) / speed / 60_000)
    print.write(`read ${tokens} of ${of} tokens, ${Math.round(speed * 1000)} tok/s, ${left} min left\n`)
  }
}

/** Name of a file that only these layers of this base write. */
const statesFile = ({ modelHash }: BaseStart, layers: number): string =>
  `${createHash('sha256').update(`${modelHash} ${layers}`).digest('hex').slice(0, 16)}.states`

/** What is known of every step of some solutions, a list for each. */
const statesOf = (
  readings: readonly Reading[],
  file: StateFile,
  weights: Weights,
): Omit<LabelledState, 'right'>[][] =>
  readings.map(({ row, features }) =>
    file.get(row)!.map((state, i) => ({
      state,
      byFeatures: logitByFeatures(weights, featureInputs(features[i]!)),
    })),
  )

/** The steps that people labelled. */
const labelled = (readings: readonly Reading[], steps: readonly Omit<LabelledState, 'right'>[][]) =>
  readings.flatMap(({ example }, i) =>
    steps[i]!.flatMap((step, s): LabelledState[] => {
      const label = example.labels[s] ?? null
      return label === null ? [] : [{ ...step, right: label >= 0.5 }]
    }),
  )

/** Trains the critic and writes its artifact. @returns its manifest. @throws when there is nothing to learn from, a layer is missing, or when stopped */
export async function trainFrozenCritic(context: FrozenContext): Promise<Manifest> {
  const { dataDir, out, engine, now, print, baseDir } = context
  const started = now()
  const rng = createRng(context.seed).fork('critic')
  const base = openBase(baseDir)
  const layers = context.layers ?? Math.ceil(LAYER_SHARE * base.config.layers)
  const cut = firstLayers(base.config, base.stored, layers)

  print.write('choosing what to read\n')
  const sources = { train: humanExamples(dataDir, false), held: humanExamples(dataDir, true) }
  const limits = { tokens: context.readTokens, window: MAX_LENGTH }
  const list = chooseReading(sources, base.tokenizer, limits, rng.fork('reading'))
  const all = [...list.held, ...list.train]
  const solutions = `${list.train.length} solutions to learn from, ${list.held.length} held back`
  print.write(`${solutions}; layers ${layers} of ${base.config.layers}\n`)
  const file = openStateFile(join(context.statesDir, statesFile(base, layers)), cut.config.width)
  try {
    await readStates({
      ...{ engine, ...cut, file, lengths: BUCKETS.lengths, batchTokens: BATCH_TOKENS, now },
      rows: all.map(({ row }) => row),
      ...(context.controls?.signal && { signal: context.controls.signal }),
      onBatch: tellReading(context),
    })
  } finally {
    file.close()
  }
  const readMs = now() - started

  const fresh = initWeights(cut.config, rng.fork('head'), cut.weights)
  const lessons = labelledLessons(dataDir, rng)
  const start = context.featuresFrom
    ? { ...fresh, ...featurePathOf(context.featuresFrom, cut.config) }
    : await startFeatures(context, cut.config, fresh, lessons, rng, context.featureSteps)

  const [heldSteps, trainSteps] = [statesOf(list.held, file, start), statesOf(list.train, file, start)]
  const tried = fitLinearText(labelled(list.train, trainSteps), labelled(list.held, heldSteps))
  const [text] = tried as [(typeof tried)[number]]
  const alone = tried.find(({ share }) => share === 0)!
  const said = { penalty: text.penalty, share: text.share, step_auc: round(text.auc) }
  print.write(
    `held-back step AUC ${said.step_auc} at penalty ${said.penalty} and share ${said.share} ` +
      `(features alone ${round(alone.auc)}, text alone ${round(text.aloneAuc)})\n`,
  )

  const bySteps = new Map(list.held.map(({ example }, i) => [example.steps, heldSteps[i]!]))
  const logits = async (items: readonly CritiqueItem[]) =>
    items.map(({ steps }) => bySteps.get(steps)!.map(step => logitWith(text, step)))
  mkdirSync(out, { recursive: true })
  return finishCritic({
    out,
    files: {
      'model.onnx': await exportCritic(cut.config, withLinearText(start, text)),
      'tokenizer.json': base.tokenizerText,
    },
    facts: criticFacts(context, base, cut.config),
    slice: list.held.map(({ example }) => example),
    scored: { logits },
    replay: rng.shuffle(sources.train).slice(0, REPLAY),
    metrics: {
      read: {
        ...{ layers, tokens: tokensOf(all), solutions: all.length, minutes: round(readMs / 60_000) },
        peak_mb: Math.round(process.resourceUsage().maxRSS / 1e3),
      },
      text: { ...said, features_alone: round(alone.auc), text_alone: round(text.aloneAuc) },
    },
  })
}
