// One sparring round: collect, play, learn, evaluate, gate. Reads top to bottom; knows no store, no process and no registry.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURES } from '../../critic/features.ts'
import type { Manifest } from '../../critic/manifest.ts'
import { openScorer, openTokenizer } from '../../critic/scorer.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import { OPSET } from '../engine/graph.ts'
import { exportCritic } from '../export.ts'
import { finishCritic } from '../recipe/reading.ts'
import { createRng } from '../rng.ts'
import { type Ablations, NO_ABLATION } from './ablation.ts'
import { collect, collectFigures } from './collect.ts'
import { keepCandidate, openDraft, pastDecision } from './draft.ts'
import { decide, type Verdict } from './gate.ts'
import { learn } from './learn.ts'
import { lessonFigures, prepareLessons } from './lessons.ts'
import { interruptible, measure, measuredFigures } from './measure.ts'
import { cleanSources, gameFigures, play } from './play.ts'
import { nextReplay } from './replay.ts'
import { createReporter, type Report } from './report.ts'
import { drawYardsticks } from './yardsticks.ts'

export interface RoundOptions {
  /** Newest first, with all feedback so far. */
  readonly traffic: readonly LabelledTraffic[]
  /** Folder of the serving critic; only read. */
  readonly servingDir: string
  /** Folder of trained critics; the candidate ends up in `outDir/version`, whatever the decision. */
  readonly outDir: string
  readonly version: string
  /** Time for the whole round; learning takes what the other stages leave, at least a fifth. */
  readonly minutes: number
  readonly seed: number
  /** Threads of training and of scoring. */
  readonly threads: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** ISO 8601, for the manifest. */
  readonly createdAt: string
  readonly signal?: AbortSignal
  readonly report: Report
  /** What the round does without; nothing when absent. */
  readonly without?: Ablations
}

export type RoundResult = Verdict

const WAVE = 48
const MAX_WAVES = 40
/** Share of the round spent on the game. */
const PLAY_SHARE = 0.1
const LEAST_LEARN_SHARE = 0.2

/**
 * Makes a candidate out of the serving critic and decides on it. Run again with the version of a round that ended, it
 * returns what was decided then.
 * @throws {AppError} CRITIC_INVALID when the serving critic cannot be improved on; the signal's reason when aborted
 */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { servingDir, outDir, version, minutes, seed, threads, now, signal, without = NO_ABLATION } = options
  const past = pastDecision(outDir, version)
  if (past) return past
  const rng = createRng(seed).fork('round')
  const totalMs = minutes * 60_000
  const reporter = createReporter(options.report, now)
  const serving = await openScorer(servingDir, { threads })
  const draft = openDraft(outDir, version)
  try {
    const parent = serving.artifact.manifest
    reporter.enter('collect', 0, { seed, parent: parent.version })
    const collected = collect(options.traffic, servingDir, rng)
    reporter.add({ collected: collectFigures(collected) })

    // The serving critic is measured first: that tells how much time the candidate's turn will take.
    reporter.enter('play', 5)
    const yardsticks = drawYardsticks(collected, rng.fork('yardsticks'), minutes)
    const measureStart = now()
    const before = await measure(serving, yardsticks, signal)
    const measureMs = now() - measureStart
    reporter.add({ serving: measuredFigures(before) })
    const playStart = now()
    const game = await play({
      critic: interruptible(serving, signal),
      threshold: before.threshold,
      sources: cleanSources(collected),
      rng: rng.fork('play'),
      waves: MAX_WAVES,
      waveSize: WAVE,
      provableOnly: !without.has('no-validity'),
      ...(signal ? { signal } : {}),
      isOver: () => now() - playStart > PLAY_SHARE * totalMs,
    })
    reporter.add({ play: gameFigures(game) })

    reporter.enter('learn', 20)
    const tokenizer = openTokenizer(serving.artifact)
    const lessons = prepareLessons(
      tokenizer,
      parent.max_length,
      collected,
      game.duels,
      rng.fork('lessons'),
      without,
    )
    reporter.add({ data_hash: lessons.dataHash, lessons: lessonFigures(lessons) })
    const leftMs = totalMs - reporter.elapsedMs() - evaluationMs(measureMs)
    const learnMs = Math.max(LEAST_LEARN_SHARE * totalMs, leftMs)
    const weights = await learn(serving.artifact, lessons, {
      threads,
      budgetMs: learnMs,
      rng: rng.fork('batches'),
      now,
      ...(signal ? { signal } : {}),
      onStep: (done, learned) => reporter.tick(20 + 60 * done, { learn: learned }),
    })

    reporter.enter('evaluate', 80)
    signal?.throwIfAborted()
    const manifest = await finishCritic({
      out: draft.dir,
      files: {
        'model.onnx': await exportCritic(parent.model, weights),
        'tokenizer.json': readFileSync(join(servingDir, 'tokenizer.json'), 'utf8'),
      },
      facts: candidateFacts(parent, options, lessons.dataHash),
      slice: collected.slice,
      fitOn: yardsticks.slice,
      replay: nextReplay(collected, rng.fork('replay')),
    })
    const candidate = await openScorer(draft.dir, { threads })
    const after = await measure(candidate, yardsticks, signal).finally(() => candidate.release())
    reporter.add({ candidate: measuredFigures(after) })

    reporter.enter('gate', 98)
    const verdict = decide(before, after, rng.fork('gate'))
    const figures = { ...reporter.finish(), gate: verdict.figures }
    const result = { ...verdict, figures }
    keepCandidate(draft, manifest, result)
    return result
  } finally {
    draft.discard()
    await serving.release()
  }
}

/** Time that finishing the candidate (its slice) and measuring it (as the serving critic was) will take, at most. */
const evaluationMs = (measureMs: number): number => 2.2 * measureMs

function candidateFacts(
  parent: Manifest,
  { version, seed, minutes, createdAt }: RoundOptions,
  data_hash: string,
) {
  const { model, max_length, version: parentVersion } = parent
  const command = `sparring round, seed ${seed}, ${minutes} minutes`
  const given = { version, created_at: createdAt, parent: parentVersion, data_hash, seed, command }
  return { ...given, kind: 'critic' as const, opset: OPSET, model, max_length, features: FEATURES }
}
