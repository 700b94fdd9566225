// One sparring round: collect, play, learn, evaluate, gate. Reads top to bottom; knows no store, no process and no registry.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURES } from '../../critic/features.ts'
import type { Manifest } from '../../critic/manifest.ts'
import { openScorer, openTokenizer } from '../../critic/scorer.ts'
import type { Llm } from '../../llm/types.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import { OPSET } from '../engine/graph.ts'
import { exportCritic } from '../export.ts'
import { finishCritic } from '../recipe/reading.ts'
import { createRng } from '../rng.ts'
import { type Ablations, NO_ABLATION } from './ablation.ts'
import { type AdmitOptions, admit } from './admit.ts'
import { choiceLists, learnCandidates, rootOf } from './candidates.ts'
import { collect, collectFigures, MAX_RECORDS } from './collect.ts'
import { compareCost } from './cost.ts'
import { keepCandidate, openDraft, pastDecision } from './draft.ts'
import { decide, type Verdict } from './gate.ts'
import { gatherLabels } from './labels.ts'
import { lessonFigures, prepareLessons } from './lessons.ts'
import { measure, measuredFigures } from './measure.ts'
import { phaseAfter } from './phase.ts'
import { nextReplay } from './replay.ts'
import { createReporter, type Report } from './report.ts'
import type { SourceWeights } from './source-weights.ts'
import { spar } from './spar.ts'
import { afterRound, readSparring, writeSparring } from './sparring-state.ts'
import { drawYardsticks } from './yardsticks.ts'

export interface RoundOptions {
  /** Newest first, with all feedback so far. */
  readonly traffic: readonly LabelledTraffic[]
  /** Whose traffic may teach, and how much. */
  readonly admit?: Partial<AdmitOptions>
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
  /** Plays the sneaky role beside the edit policy, and shows by rollouts what is wrong; nobody when absent. */
  readonly sneakyLlm?: Llm
  /** Says which step of a solution is the first wrong one; nobody when absent. */
  readonly teacherLlm?: Llm
  /** What the operator says of sources of labels; the others are learned. */
  readonly sourceWeights?: Partial<SourceWeights>
  /** What the round does without; nothing when absent. */
  readonly without?: Ablations
}

export type RoundResult = Verdict

/** Largest part of the traffic that one client may be, where nothing else is said. */
const CLIENT_SHARE = 0.25
/** Share of the round spent on each game, and on asking a teacher. */
const PLAY_SHARE = 0.1
const LEAST_LEARN_SHARE = 0.2

/**
 * Makes a candidate out of the serving critic and decides on it. Run again with the version of a round that ended, it
 * returns what was decided then.
 * @throws {AppError} CRITIC_INVALID when the serving critic cannot be improved on; the signal's reason when aborted
 */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { servingDir, outDir, version, minutes, seed, threads, now, signal } = options
  const { sneakyLlm, teacherLlm, sourceWeights, without = NO_ABLATION } = options
  const signalled = signal ? { signal } : {}
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
    const admitted = admit(options.traffic.slice(0, MAX_RECORDS), { share: CLIENT_SHARE, ...options.admit })
    const collected = collect(admitted.traffic, servingDir, rng)
    reporter.add({ admitted: admitted.figures, collected: collectFigures(collected) })

    // The serving critic is measured first: that tells how much time the candidate's turn will take.
    reporter.enter('play', 5)
    const yardsticks = drawYardsticks(collected, rng.fork('yardsticks'), minutes)
    const measureStart = now()
    const before = await measure(serving, yardsticks, signal)
    const measureMs = now() - measureStart
    reporter.add({ serving: measuredFigures(before) })
    const sparred = await spar(serving, collected, readSparring(outDir), {
      version,
      servingDir,
      budgetMs: PLAY_SHARE * totalMs,
      threads,
      rng,
      now,
      without,
      ...(sneakyLlm && { sneakyLlm }),
      ...signalled,
    })
    const labels = await gatherLabels(collected, {
      ...(teacherLlm && { teacherLlm }),
      ...(sourceWeights && { sourceWeights }),
      rng: rng.fork('labels'),
      budgetMs: PLAY_SHARE * totalMs,
      now,
      ...signalled,
    })
    reporter.add({ ...sparred.figures, labels: labels.figures })

    reporter.enter('learn', 20)
    const phase = phaseAfter(sparred.state.notes)
    const tokenizer = openTokenizer(serving.artifact)
    const lessons = prepareLessons(
      tokenizer,
      parent.max_length,
      collected,
      sparred.duels,
      rng.fork('lessons'),
      { without, labels, phase },
    )
    reporter.add({ data_hash: lessons.dataHash, lessons: lessonFigures(lessons), phase })
    const leftMs = totalMs - reporter.elapsedMs() - evaluationMs(measureMs)
    const learnMs = Math.max(LEAST_LEARN_SHARE * totalMs, leftMs)
    const facts = candidateFacts(parent, options, lessons.dataHash)
    const { league } = sparred.state
    const learned = await learnCandidates(
      { serving: serving.artifact, root: rootOf(league, serving.artifact) },
      lessons,
      {
        threads,
        budgetMs: learnMs,
        rng: rng.fork('batches'),
        now,
        ...signalled,
        onStep: (done, figures) => reporter.tick(20 + 60 * done, { learn: figures }),
      },
      { facts, chooseOn: choiceLists(collected.slice, yardsticks.slice, league) },
    )
    reporter.add({ candidate_from: learned.figures })

    reporter.enter('evaluate', 80)
    signal?.throwIfAborted()
    const manifest = await finishCritic({
      out: draft.dir,
      files: {
        'model.onnx': await exportCritic(parent.model, learned.weights),
        'tokenizer.json': readFileSync(join(servingDir, 'tokenizer.json'), 'utf8'),
      },
      facts,
      slice: collected.slice,
      fitOn: yardsticks.slice,
      replay: nextReplay(collected, rng.fork('replay')),
    })
    const candidate = await openScorer(draft.dir, { threads })
    const compared = async () => {
      const measured = await measure(candidate, yardsticks, signal)
      return { after: measured, cost: await compareCost(serving, candidate, yardsticks.slice) }
    }
    const { after, cost } = await compared().finally(() => candidate.release())
    reporter.add({ candidate: measuredFigures(after) })

    reporter.enter('gate', 98)
    const verdict = decide(before, after, rng.fork('gate'), cost)
    const figures = { ...reporter.finish(), gate: verdict.figures }
    const result = { ...verdict, figures }
    // Before the candidate: a round that is killed between the two is run again, and replaces what it left here.
    writeSparring(outDir, afterRound(sparred.state, { version, decision: verdict.decision }))
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
