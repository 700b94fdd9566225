// `spar eval methods`: one LLM and one critic, every search method at equal token budgets. Reads the options and puts the tables.
import { basename } from 'node:path'
import { createSameAnswer, type SameAnswer } from '../answer/equivalence.ts'
import { createSymbolicThread, SYMBOLIC_MS } from '../answer/symbolic-thread.ts'
import { readConfig } from '../config.ts'
import { lazySolver, startSolver } from '../critic/solver.ts'
import type { Critic } from '../critic/types.ts'
import { startWorkerCritic } from '../critic/worker-critic.ts'
import { startGguf } from '../llm/gguf-host.ts'
import type { Llm } from '../llm/types.ts'
import { BUILTIN_UPSTREAM, GGUF_UPSTREAM } from '../llm/upstreams.ts'
import { createLlms } from '../llms.ts'
import { METHOD_NAMES, type MethodName, PARAMS } from '../search/params.ts'
import { createSearchWorld } from '../server/search-world.ts'
import type { Arena, RunOptions } from '../train/eval/method-runs.ts'
import {
  evalMethods,
  type MethodFigures,
  type MethodRow,
  type MethodsOptions,
} from '../train/eval/methods.ts'
import { methodSections } from '../train/eval/methods-report.ts'
import { drawPosed, freshProblems, hashPosed, type PosedProblem } from '../train/eval/posed.ts'
import { createRng } from '../train/rng.ts'
import { origin } from './eval-origin.ts'
import { type Evaluation, putEvaluation } from './eval-output.ts'
import { type CliValues, numberOption, required } from './options.ts'
import { untilSignalled } from './run-control.ts'

/** @throws Error for a wrong option or record, or when stopped; AppError for an invalid artifact, and when the LLM gives nothing */
export async function evalMethodsCommand(values: CliValues, seed: number): Promise<void> {
  if (values.url !== undefined) throw new Error('eval methods runs its critic itself: leave --url out')
  if (values.train !== undefined) throw new Error('eval methods has no baselines: leave --train out')
  const plan = readPlan(values, seed)
  const threads = numberOption(values.threads, 'threads', 2, 1, 256)
  const { llm, weights, close } = openLlm(values, threads)
  const problems = poseProblems(values, seed)
  const critic = await startWorkerCritic(values.critic, { devices: ['cpu'], threads })
  const symbolic = createSymbolicThread({ deadlineMs: SYMBOLIC_MS })
  try {
    const threshold = numberOption(values.threshold, 'threshold', critic.threshold, 0, 1)
    const worlds = openWorlds(llm, critic, createSameAnswer(symbolic))
    const figures = await untilSignalled(async signal => {
      const canContinue = await llm.canContinue(signal)
      const { createWorld } = worlds
      const arena: Arena = { problems, threshold, canContinue, canInstruct: llm.canInstruct, createWorld }
      return evalMethods(arena, { ...plan, signal, onRow: sayRow })
    })
    const facts = {
      llm: llm.name,
      weights,
      critic: critic.version,
      threshold,
      estimated: worlds.isEstimated(),
    }
    putEvaluation(toEvaluation(values, plan, problems, figures, facts), values.out, text => {
      process.stdout.write(text)
    })
  } finally {
    await Promise.all([close(), critic.close(), symbolic.close()])
  }
}

type Plan = Omit<MethodsOptions, 'signal' | 'onRow'> & Pick<RunOptions, 'seed'>

function readPlan(values: CliValues, seed: number): Plan {
  const whole = (value: string | undefined, name: string, fallback: number, high: number): number =>
    Math.floor(numberOption(value, name, fallback, 1, high))
  const { default: tokens, maximum } = PARAMS.max_tokens
  return {
    budgets: (values.budgets ?? '4,8').split(',').map(k => whole(k, 'budgets', 0, PARAMS.n.maximum)),
    methods: readMethods(values.methods),
    maxTokens: whole(values['max-tokens'], 'max-tokens', tokens, maximum),
    parallel: whole(values.parallel, 'parallel', 1, 64),
    seed,
  }
}

function readMethods(list: string | undefined): readonly MethodName[] {
  if (list === undefined) return METHOD_NAMES
  return list.split(',').map(name => {
    const known = METHOD_NAMES.find(method => method === name)
    if (known === undefined) throw new Error(`--methods must be of ${METHOD_NAMES.join(', ')}`)
    return known
  })
}

interface OpenedLlm {
  readonly llm: Llm
  /** What runs in this process: the base's folder or the name of the GGUF file; null for an upstream elsewhere. */
  readonly weights: string | null
  close(): Promise<void>
}

/** The LLM of `--llm`: the built-in solver, or an upstream that the environment names as it does for the service. */
function openLlm({ llm = BUILTIN_UPSTREAM, base }: CliValues, threads: number): OpenedLlm {
  const { upstreams, privateRanges, gguf: file, devices } = readConfig(process.env)
  const solver = lazySolver(() => startSolver(base, { threads }))
  const gpu = devices.some(device => device !== 'cpu')
  const gguf = file && lazySolver(() => startGguf({ ...file, threads, gpu }))
  const llms = createLlms({
    upstreams,
    allowedHosts: [],
    guard: { privateRanges },
    first: BUILTIN_UPSTREAM,
    sampler: solver.sample,
    gguf: gguf?.sample,
  })
  const weights: Readonly<Record<string, string | null>> = {
    [BUILTIN_UPSTREAM]: base,
    [GGUF_UPSTREAM]: file && basename(file.path),
  }
  return {
    llm: llms.resolve({ upstream: llm }),
    weights: weights[llm] ?? null,
    async close() {
      await Promise.all([solver.close(), gguf?.close()])
    },
  }
}

/** Generated problems are what the built-in solver is for; another LLM is measured on those of `--data`. */
function poseProblems({ data, llm = BUILTIN_UPSTREAM, problems }: CliValues, seed: number): PosedProblem[] {
  const rng = createRng(seed).fork('eval methods')
  const count = Math.floor(numberOption(problems, 'problems', 100, 1, 100_000))
  if (data === undefined && llm === BUILTIN_UPSTREAM) return freshProblems(rng, count)
  return drawPosed(required(data, 'data'), count, rng)
}

/** Worlds of one LLM and one critic, as the service builds them. */
function openWorlds(
  llm: Llm,
  critic: Critic,
  same: SameAnswer,
): Pick<Arena, 'createWorld'> & { isEstimated(): boolean } {
  let estimated = false
  return {
    isEstimated: () => estimated,
    createWorld() {
      const world = createSearchWorld(llm, critic, same)
      return {
        ...world,
        async propose(request, signal) {
          const proposal = await world.propose(request, signal)
          estimated ||= world.isEstimated()
          return proposal
        },
      }
    },
  }
}

/** A row takes minutes: says on stderr that it is there. */
function sayRow({ method, budget, solved, tokens, seconds }: MethodRow): void {
  const what = budget === null ? 'one sample' : `${method}, budget ${budget}`
  const figures = `${solved.value.toFixed(1)} % solved, ${tokens.toFixed(0)} tokens and ${seconds.toFixed(2)} s each`
  process.stderr.write(`${what}: ${figures}\n`)
}

interface Facts extends Pick<OpenedLlm, 'weights'> {
  readonly llm: string
  readonly critic: string
  readonly threshold: number
  readonly estimated: boolean
}

function toEvaluation(
  values: CliValues,
  { maxTokens, parallel, seed }: Plan,
  problems: readonly PosedProblem[],
  figures: MethodFigures,
  { llm, weights, critic, threshold, estimated }: Facts,
): Evaluation {
  const data = values.data === undefined ? [] : [values.data]
  const measured = { judge: { name: critic, threshold }, source: values.critic }
  const { facts, json } = origin(measured, values, seed, data)
  const hash = hashPosed(problems)
  const kind = data.length === 0 ? 'fresh generated problems' : 'problems drawn from the data'
  return {
    title: `Search methods at equal budgets: ${llm} with ${critic}`,
    facts: [
      `LLM ${llm}${weights ? ` (${weights})` : ''}, at most ${maxTokens} tokens a solution, searches at the same time: ${parallel}`,
      ...(estimated ? ['the LLM reports no usage: tokens are estimated as characters / 4'] : []),
      ...facts,
      `${problems.length} ${kind}, sha256 ${hash}`,
    ],
    sections: methodSections(figures),
    json: {
      eval: 'methods',
      llm,
      weights,
      ...json,
      ...(data.length === 0 ? { data_hash: null } : {}),
      problems_hash: hash,
      solution_max_tokens: maxTokens,
      parallel,
      estimated,
      ...figures,
    },
  }
}
