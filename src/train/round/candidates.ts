// Two ways to learn the same lessons, where there is time: on from the serving critic, and anew from the first critic of its line, but for
// what was learned of outcomes (SPC's released script starts again in each round, arXiv 2504.19162). Which is kept is decided on what
// neither learned from and the gate does not look at. Knows no gate.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Artifact, openArtifact } from '../../critic/manifest.ts'
import type { Example } from '../data/example.ts'
import { exportCritic, weightsOf } from '../export.ts'
import { isOutcomePath, type Weights } from '../model/config.ts'
import { type Finish, round, stepAucOf } from '../recipe/reading.ts'
import { type LearnOptions, learn } from './learn.ts'
import type { Lessons } from './lessons.ts'
import type { Figures } from './messages.ts'
import { meetingDuels, type SparringLeague } from './opponents.ts'
import { duelComparison } from './play.ts'

/** Two candidates, when each gets at least this much time to learn. */
const LEAST_MS = 2 * 60_000

/** The first critic of the line, where it is another than the serving one and of the same shape; else null. */
export function rootOf(league: SparringLeague, serving: Artifact): Artifact | null {
  const [first] = league.defenders
  if (first === undefined || first.name === serving.manifest.version) return null
  try {
    const root = openArtifact(first.player.dir)
    const shapeOf = ({ manifest: { model, features } }: Artifact) => JSON.stringify([model, features])
    return shapeOf(root) === shapeOf(serving) ? root : null
  } catch {
    return null // its folder is gone: the line begins later
  }
}

export interface Starts {
  readonly serving: Artifact
  /** Null: only one candidate. */
  readonly root: Artifact | null
}

export interface Choice {
  readonly facts: Finish['facts']
  /** Lists of labelled solutions; the mean step AUC over them chooses. */
  readonly chooseOn: readonly (readonly Example[])[]
}

/**
 * The first critic's weights with the serving critic's outcome path. That path is a convex fit towards what it was, in which no damage adds up, and
 * lessons that teach outcomes come from few problems: what earlier rounds' traffic taught of them would be lost.
 */
function anewFrom(root: Artifact, serving: Readonly<Weights>): Weights {
  const kept = Object.entries(serving).filter(([name]) => isOutcomePath(name))
  return { ...weightsOf(root), ...Object.fromEntries(kept) }
}

/** Trains one candidate or two and returns the better one's weights. @throws {AppError} CRITIC_INVALID when a critic's file lacks a weight; as `learn` does */
export async function learnCandidates(
  { serving, root }: Starts,
  lessons: Lessons,
  options: LearnOptions,
  { facts, chooseOn }: Choice,
): Promise<{ weights: Weights; figures: Figures }> {
  const lists = chooseOn.filter(examples => examples.length > 0)
  const config = serving.manifest.model
  const served = weightsOf(serving)
  if (root === null || options.budgetMs < 2 * LEAST_MS || lists.length === 0) {
    const { weights, outcomes } = await learn({ config, weights: served }, lessons, options)
    return { weights, figures: { from: 'serving critic', outcomes } }
  }
  const { checkpoints } = options
  const half = (part: 0 | 1): LearnOptions => ({
    ...options,
    budgetMs: options.budgetMs / 2,
    rng: options.rng.fork(`candidate ${part}`),
    ...(checkpoints && { checkpoints: name => checkpoints(`${name} ${part}`) }),
    onStep: (done, figures) => options.onStep((part + done) / 2, figures),
  })
  const tokenizer = readFileSync(join(serving.dir, 'tokenizer.json'), 'utf8')
  const reach = async (weights: Weights): Promise<number> => {
    const files = {
      'model.onnx': await exportCritic(config, weights),
      'tokenizer.json': tokenizer,
    }
    const aucs = (await stepAucOf(files, facts, lists)).filter(Number.isFinite)
    return aucs.reduce((sum, auc) => sum + auc, 0) / aucs.length
  }
  const warm = await learn({ config, weights: served }, lessons, half(0))
  const anew = await learn({ config, weights: anewFrom(root, served) }, lessons, half(1))
  const reached = { warm: await reach(warm.weights), anew: await reach(anew.weights) }
  const isAnew = reached.anew > reached.warm
  const { weights, outcomes } = isAnew ? anew : warm
  return {
    weights,
    figures: {
      outcomes,
      from: isAnew ? `first critic, ${root.manifest.version}` : 'serving critic',
      chosen_by_auc: { serving: round(reached.warm), first: round(reached.anew) },
    },
  }
}

const MOST_SLICE = 240
const MOST_GENERATORS = 4

/** What candidates are chosen on: solutions of the slice that the gate does not measure on, and traps of the league's newest generators. */
export function choiceLists(
  slice: readonly Example[],
  measured: readonly Example[],
  league: SparringLeague,
): Example[][] {
  const isMeasured = new Set(measured)
  const rest = slice.filter(example => !isMeasured.has(example)).slice(0, MOST_SLICE)
  const traps = league.attackers.slice(-MOST_GENERATORS).flatMap(({ name, player }) =>
    meetingDuels(name, player).flatMap(duel => {
      const { better, worse } = duelComparison(duel)
      return [better, worse]
    }),
  )
  return [rest, traps]
}
