// One sparring round: collect, play, learn, evaluate, gate. What a stage made is kept, so that a round that was stopped or killed goes on.
// Reads top to bottom; knows no store, no process and no registry.
import { openScorer, openTokenizer } from '../../critic/scorer.ts'
import type { Llm } from '../../llm/types.ts'
import type { LabelledTraffic } from '../../store/types.ts'
import { type CheckpointStore, ForeignCheckpoint } from '../fit/checkpoint.ts'
import { createRng } from '../rng.ts'
import { type Ablations, NO_ABLATION } from './ablation.ts'
import { type AdmitOptions, admit } from './admit.ts'
import { choiceLists, learnCandidates, rootOf } from './candidates.ts'
import { collect, collectFigures, MAX_RECORDS } from './collect.ts'
import { keepCandidate, openDraft, pastDecision } from './draft.ts'
import { candidateFacts, evaluate, evaluationMs } from './evaluate.ts'
import { decide, fallenBefore, type Verdict } from './gate.ts'
import { gatherLabels } from './labels.ts'
import { PASSES } from './learn.ts'
import { lessonFigures, prepareLessons } from './lessons.ts'
import { measure, measuredFigures } from './measure.ts'
import { phaseAfter } from './phase.ts'
import { nextReplay } from './replay.ts'
import { createReporter, type Progress, type Report, type Reporter } from './report.ts'
import type { SourceWeights } from './source-weights.ts'
import { spar } from './spar.ts'
import { afterRound, readSparring, writeSparring } from './sparring-state.ts'
import type { Teacher } from './teacher.ts'
import { openWork, type Work } from './work.ts'
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
  /** Says how right the steps of logged solutions are; nobody when absent. */
  readonly teacher?: Teacher
  /** What the operator says of sources of labels; the others are learned. */
  readonly sourceWeights?: Partial<SourceWeights>
  /** What the round does without; nothing when absent. */
  readonly without?: Ablations
  /** Least time between two checkpoints while learning, in milliseconds; 20 s when absent. */
  readonly checkpointMs?: number
}

export type RoundResult = Verdict

/** Largest part of the traffic that one client may be, where nothing else is said. */
const CLIENT_SHARE = 0.25
/** Share of the round spent on each game, and on asking a teacher, at most. */
const PLAY_SHARE = 0.1
const TEACH_SHARE = 0.2
const LEAST_LEARN_SHARE = 0.2
/** More work than this is not lost by a kill. */
const CHECKPOINT_MS = 20_000

/**
 * Makes a candidate out of the serving critic and decides on it. Run again with the version of a round that ended, it
 * returns what was decided then; with that of one that was aborted or killed, it goes on from what is kept beside the candidates, with the
 * traffic and the time of then, unless another critic serves now.
 * @throws {AppError} CRITIC_INVALID when the serving critic cannot be improved on; the signal's reason when aborted
 */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const past = pastDecision(options.outDir, options.version)
  if (past) return past
  try {
    return await goOn(options)
  } catch (error) {
    if (!(error instanceof ForeignCheckpoint)) throw error
    return goOn(options) // what was kept is of an older Spar, and is gone now
  }
}

async function goOn(options: RoundOptions): Promise<RoundResult> {
  const { servingDir, outDir, version, minutes, seed, threads, now, signal } = options
  const { sneakyLlm, teacher, sourceWeights, without = NO_ABLATION } = options
  const signalled = signal ? { signal } : {}
  const rng = createRng(seed).fork('round')
  const totalMs = minutes * 60_000
  const serving = await openScorer(servingDir, { threads })
  const parent = serving.artifact.manifest
  const work = openWork(outDir, version, {
    parent: parent.version,
    seed,
    minutes,
    without: [...without],
    admit: options.admit ?? {}, // who opted out meanwhile teaches nothing any more, what was collected before included
    passes: PASSES, // a checkpoint does not tell how long its run was to be
  })
  const reporter = createReporter(options.report, now, work.load<Progress>(PROGRESS))
  const once: Work['once'] = (name, make) =>
    work.once(name, async () => {
      const made = await make()
      work.keep(PROGRESS, reporter.progress())
      return made
    })
  const draft = openDraft(outDir, version)
  try {
    reporter.enter('collect', 0, { seed, parent: parent.version })
    const { admitted, state } = await once('collected', () => ({
      admitted: admit(options.traffic.slice(0, MAX_RECORDS), { share: CLIENT_SHARE, ...options.admit }),
      state: readSparring(outDir),
    }))
    const collected = collect(admitted.traffic, servingDir, rng)
    const yardsticks = drawYardsticks(collected, state.league, rng.fork('yardsticks'), minutes)
    reporter.add({ admitted: admitted.figures, collected: collectFigures(collected) })

    // The serving critic is measured first: that tells how much time the candidate's turn will take.
    reporter.enter('play', 5)
    const { before, measureMs } = await once('measured', async () => {
      const start = now()
      return { before: await measure(serving, yardsticks, signal), measureMs: now() - start }
    })
    reporter.add({ serving: measuredFigures(before) })
    const { sparred, labels } = await once('played and labelled', async () => ({
      sparred: await spar(serving, collected, state, {
        version,
        servingDir,
        budgetMs: PLAY_SHARE * totalMs,
        threads,
        rng,
        now,
        without,
        ...(sneakyLlm && { sneakyLlm }),
        ...signalled,
      }),
      labels: await gatherLabels(collected, {
        ...(teacher && { teacher }),
        ...(sourceWeights && { sourceWeights }),
        rng: rng.fork('labels'),
        budgetMs: TEACH_SHARE * totalMs,
        now,
        ...signalled,
      }),
    }))
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
    const budgetMs = await once('budget', () =>
      Math.max(LEAST_LEARN_SHARE * totalMs, totalMs - reporter.elapsedMs() - evaluationMs(measureMs)),
    )
    const facts = candidateFacts(parent, options, lessons.dataHash)
    const { league } = sparred.state
    const learned = await once('learned', () =>
      learnCandidates(
        { serving: serving.artifact, root: rootOf(league, serving.artifact) },
        lessons,
        {
          threads,
          budgetMs,
          rng: rng.fork('batches'),
          now,
          ...signalled,
          checkpoints: part => checkpointsOf(part, work, reporter, options.checkpointMs ?? CHECKPOINT_MS),
          onStep: (done, figures) => reporter.tick(20 + 60 * done, { learn: figures }),
        },
        { facts, chooseOn: choiceLists(collected.slice, yardsticks.slice, league) },
      ),
    )
    reporter.add({ candidate_from: learned.figures })

    reporter.enter('evaluate', 80)
    const { manifest, measured, cost } = await evaluate({
      serving,
      before,
      draft,
      weights: learned.weights,
      facts,
      slice: collected.slice,
      yardsticks,
      replay: nextReplay(collected, rng.fork('replay')),
      threads,
      ...signalled,
    })
    reporter.add({ candidate: measuredFigures(measured) })

    reporter.enter('gate', 98)
    const verdict = decide(before, measured, rng.fork('gate'), cost, fallenBefore(parent))
    const figures = { ...reporter.finish(), gate: verdict.figures }
    const result = { ...verdict, figures }
    // Before the candidate: a round that is killed between the two is run again, and replaces what it left here.
    writeSparring(outDir, afterRound(sparred.state, { version, decision: verdict.decision }))
    keepCandidate(draft, manifest, result)
    work.discard()
    return result
  } catch (error) {
    if (!signal?.aborted) work.discard() // it would fail again in the same way
    throw error
  } finally {
    draft.discard()
    await serving.release()
  }
}

const PROGRESS = 'progress'

/** Saves where the round stands beside each checkpoint, and tells from where a part of the learning went on. */
function checkpointsOf(part: string, work: Work, reporter: Reporter, everyMs: number): CheckpointStore {
  const kept = work.checkpoints(part, everyMs)
  return {
    everyMs,
    save(checkpoint) {
      kept.save(checkpoint)
      work.keep(PROGRESS, reporter.progress())
    },
    load() {
      const found = kept.load()
      if (found)
        reporter.add({ resumed: { part, step: found.step, seconds: Math.round(found.elapsedMs / 1000) } })
      return found
    },
  }
}
