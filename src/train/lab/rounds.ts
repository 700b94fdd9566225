// The rounds lab: does a critic that spars round after round read the errors of real models better, and does it keep what it could?
// One run of rounds in a scratch folder, with no service. Prints nothing.
import { join } from 'node:path'
import { openScorer, type Scorer } from '../../critic/scorer.ts'
import type { Llm } from '../../llm/types.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import type { Ablation } from '../round/ablation.ts'
import { runRound } from '../round/round.ts'
import { createPolicy, type SneakyPolicy } from '../sneaky/policy.ts'
import { type CriticFigures, type Measures, measureCritic } from './critic-figures.ts'
import {
  createMatrix,
  encounter,
  type FrozenGenerator,
  freezeGenerator,
  type Matrix,
  worstDrop,
} from './frozen.ts'

export interface RoundsLabOptions extends Measures {
  /** Folder of the critic of round 0. */
  readonly criticDir: string
  /** Scratch folder of this run; the candidates stay in it. */
  readonly workDir: string
  readonly rounds: number
  /** Of each round. */
  readonly minutes: number
  readonly seed: number
  readonly threads: number
  /** What every round is run without. */
  readonly ablation?: Ablation
  /** What a client sends before the round of this number (from 1), newest first. */
  readonly traffic: (round: number) => Promise<readonly LabelledTraffic[]>
  /** Plays the sneaky role beside the edit policy. */
  readonly sneakyLlm?: Llm
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly createdAt: string
  readonly say: (text: string) => void
}

export interface LabRound {
  /** 0 is before the first. */
  readonly round: number
  /** What serves after the round's gate. */
  readonly serving: CriticFigures
  /** What the round made, whatever was decided. */
  readonly candidate: CriticFigures
  readonly decision: 'start' | 'promoted' | 'rejected'
  readonly reason: string
  /** Against this round's own generator: the serving critic, and each critic that served before, in percent. */
  readonly sneakySuccess: { readonly current: number; readonly frozen: Readonly<Record<string, number>> }
  /** Accuracy of the serving critic against each frozen generator, in percent. */
  readonly accuracy: Readonly<Record<string, number>>
  /** Success of each frozen generator against the serving critic, in percent. */
  readonly success: Readonly<Record<string, number>>
  readonly frozenWorstDrop: number
  readonly seconds: number
}

/** Runs the rounds one after the other, each from what the one before left serving. @throws the signal's reason when aborted */
export async function runRoundsLab(options: RoundsLabOptions): Promise<LabRound[]> {
  const { workDir, minutes, seed, threads, now, say, signal } = options
  const critics: { version: string; dir: string }[] = []
  const generators: FrozenGenerator[] = []
  const matrix = createMatrix()
  const rows: LabRound[] = []
  let traffic: readonly LabelledTraffic[] = []

  const row = async (
    facts: Pick<LabRound, 'round' | 'decision' | 'reason' | 'seconds'>,
    dir: string,
    policy: SneakyPolicy,
  ): Promise<void> => {
    generators.push(freezeGenerator(`generator ${facts.round}`, policy, seed))
    const candidate = await withScorer(dir, threads, scorer => measureCritic(scorer, options))
    if (facts.decision !== 'rejected') critics.push({ version: candidate.version, dir })
    await meet(critics, generators, matrix, threads, signal)
    const serving = facts.decision === 'rejected' ? rows.at(-1)!.serving : candidate
    const met = against(critics, generators, matrix)
    rows.push({ ...facts, candidate, serving, ...met })
    const accuracies = candidate.writers.map(
      ({ name, step_accuracy }) => `${step_accuracy.toFixed(1)} % on steps of ${name}`,
    )
    say(
      `${accuracies.join(', ')}; ${met.sneakySuccess.current.toFixed(1)} % of sneaky steps pass what serves`,
    )
  }

  say('the critic before')
  await row({ round: 0, decision: 'start', reason: '', seconds: 0 }, options.criticDir, createPolicy())
  for (let round = 1; round <= options.rounds; round++) {
    signal?.throwIfAborted()
    traffic = [...(await options.traffic(round)), ...traffic]
    say(`round ${round} of ${options.rounds}: ${minutes} minutes`)
    const start = now()
    const version = `round-${round}`
    const { decision, reason, figures } = await runRound({
      traffic,
      servingDir: critics.at(-1)!.dir,
      outDir: workDir,
      version,
      minutes,
      seed: seed + round,
      threads,
      now,
      createdAt: options.createdAt,
      report: () => {},
      ...(options.sneakyLlm && { sneakyLlm: options.sneakyLlm }),
      ...(options.ablation && { without: new Set([options.ablation]) }),
      ...(signal && { signal }),
    })
    const seconds = (now() - start) / 1000
    say(`${decision} after ${Math.round(seconds)} s: ${reason}`)
    const { policy } = figures['play'] as { policy: SneakyPolicy }
    await row({ round, decision, reason, seconds }, join(workDir, version), policy)
  }
  return rows
}

async function withScorer<T>(dir: string, threads: number, use: (scorer: Scorer) => Promise<T>): Promise<T> {
  const scorer = await openScorer(dir, { threads })
  try {
    return await use(scorer)
  } finally {
    await scorer.release()
  }
}

/** Every critic meets every generator it has not met. */
async function meet(
  critics: readonly { readonly version: string; readonly dir: string }[],
  generators: readonly FrozenGenerator[],
  matrix: Matrix,
  threads: number,
  signal?: AbortSignal,
): Promise<void> {
  for (const { version, dir } of critics) {
    const fresh = generators.filter(({ name }) => matrix.at(version, name) === undefined)
    if (fresh.length === 0) continue
    await withScorer(dir, threads, async scorer => {
      for (const generator of fresh) {
        signal?.throwIfAborted()
        matrix.set(version, generator.name, await encounter(scorer, generator))
      }
    })
  }
}

/** The figures of the serving critic (the last) and of the newest generator (the last). */
function against(
  critics: readonly { readonly version: string }[],
  generators: readonly FrozenGenerator[],
  matrix: Matrix,
): Pick<LabRound, 'sneakySuccess' | 'accuracy' | 'success' | 'frozenWorstDrop'> {
  const serving = critics.at(-1)!.version
  const newest = generators.at(-1)!.name
  const names = generators.map(({ name }) => name)
  const versions = critics.map(({ version }) => version)
  const each = (of: 'accuracy' | 'success') =>
    Object.fromEntries(names.map(name => [name, matrix.at(serving, name)![of]]))
  return {
    sneakySuccess: {
      current: matrix.at(serving, newest)!.success,
      frozen: Object.fromEntries(versions.slice(0, -1).map(v => [v, matrix.at(v, newest)!.success])),
    },
    accuracy: each('accuracy'),
    success: each('success'),
    frozenWorstDrop: worstDrop(matrix, versions, names),
  }
}
