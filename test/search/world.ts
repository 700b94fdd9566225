// A small real world to search in: walks of arithmetic with a known truth, a clock that jumps, a log of every call.
// Nothing here sleeps: virtual time moves on only when the search has nothing left to do.
import { createRng, seedFor } from '../../src/search/rng.ts'
import { runSearch, type SearchRequest } from '../../src/search/run.ts'
import type {
  Aim,
  Judge,
  Propose,
  ProposeRequest,
  SearchEvent,
  SearchResult,
  World,
} from '../../src/search/types.ts'

export interface Clock {
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Virtual milliseconds. The earliest sleeper wakes once all microtasks are done. */
export function createClock(): Clock {
  let now = 0
  let sleepers: { at: number; wake: () => void }[] = []
  let turning = false
  const turn = () => {
    turning = sleepers.length > 0
    if (!turning) return
    setImmediate(() => {
      const next = sleepers.reduce<(typeof sleepers)[number] | null>(
        (first, sleeper) => (first === null || sleeper.at < first.at ? sleeper : first),
        null,
      )
      if (next !== null) {
        sleepers = sleepers.filter(sleeper => sleeper !== next)
        now = Math.max(now, next.at)
        next.wake()
      }
      turn()
    })
  }
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal.addEventListener('abort', () => {
          sleepers = sleepers.filter(other => other !== sleeper)
          reject(signal.reason)
        })
        if (!turning) turn()
      }),
  }
}

export interface WalkOptions {
  /** P(a step is computed wrongly); default .3. */
  readonly errorRate?: number
  /** Virtual milliseconds of a call; default: none, replies come at once. */
  readonly latencyMs?: (request: ProposeRequest) => number
  /** Virtual milliseconds a call in flight needs to end once it is aborted; default: none. */
  readonly lingerMs?: number
  /** Completion tokens used beyond what was granted; default 0. */
  readonly overshoot?: number
  /** Makes a call throw. */
  readonly fails?: (request: ProposeRequest, call: number) => Error | null
  /** Replaces the text of a reply. */
  readonly text?: (request: ProposeRequest) => { text: string; ended: boolean } | null
  /** The mean log-probability of a reply, told where it is asked for; default: never. */
  readonly logprob?: (text: string) => number | null
  /** True for steps the critic cannot score. */
  readonly blind?: (step: string) => boolean
  /** What the critic finds wrong in a step; default: nothing it can name. */
  readonly finding?: (step: string) => string | null
  /** Replaces the critic's score of a step. */
  readonly score?: (step: string, path: readonly string[], index: number) => number | null
}

export interface WalkWorld extends World {
  readonly clock: Clock
  /** Every request, in order of start. */
  readonly requests: ProposeRequest[]
  /** Steps of each path sent to the critic. */
  readonly judged: (readonly string[])[]
  /** LLM and critic calls in flight now, and LLM calls at most at one time. */
  readonly live: { calls: number; llmPeak: number }
}

const words = (text: string) => text.split(/\s+/).filter(word => word !== '').length
const hash = (text: string) =>
  seedFor(
    7,
    [...text].map(char => char.codePointAt(0)!),
  )

interface Walk {
  readonly start: number
  readonly operations: readonly { readonly sign: string; readonly by: number }[]
}

/** Reads `5 +3 *2 -4`: a start and operations, carried out from left to right. */
function readWalk(problem: string): Walk {
  const [start, ...rest] = problem.split(' ')
  return {
    start: Number(start),
    operations: rest.map(part => ({ sign: part[0]!, by: Number(part.slice(1)) })),
  }
}

const apply = (value: number, { sign, by }: Walk['operations'][number]) =>
  sign === '+' ? value + by : sign === '-' ? value - by : value * by

/** NaN in a step that was cut off before any number. */
const lastNumber = (text: string) => Number(text.match(/-?\d+(?=\D*$)/)?.[0] ?? Number.NaN)

/** The right answer of a walk. */
export function truth(problem: string): string {
  const { start, operations } = readWalk(problem)
  return String(operations.reduce(apply, start))
}

function nextStep(problem: string, steps: readonly string[], rng: () => number, errorRate: number) {
  const { start, operations } = readWalk(problem)
  const value = steps.length === 0 ? start : lastNumber(steps.at(-1)!)
  const operation = operations[steps.length]
  if (operation === undefined) return { text: `The answer is ${value}.`, ended: true }
  const slip = rng() < errorRate ? 1 + Math.floor(rng() * 3) : 0
  const result = apply(value, operation) + slip
  return { text: `${value} ${operation.sign} ${operation.by} = ${result}`, ended: false }
}

function isRight(problem: string, path: readonly string[], index: number): boolean {
  const { start, operations } = readWalk(problem)
  const value = index === 0 ? start : lastNumber(path[index - 1]!)
  const operation = operations[index]
  const expected = operation === undefined ? value : apply(value, operation)
  return lastNumber(path[index]!) === expected
}

/** A judge of the answers alone, undecided between two right or two wrong ones. */
function compared(problem: string, { first, second }: Extract<Aim, { kind: 'compare' }>): string {
  const [a, b] = [first, second].map(text => String(lastNumber(text)) === truth(problem))
  return a === b ? 'hm' : a ? 'first' : 'second'
}

/** A deterministic world: replies depend on the request alone, scores on the path alone. */
export function createWalkWorld(options: WalkOptions = {}): WalkWorld {
  const { errorRate = 0.3, overshoot = 0 } = options
  const clock = createClock()
  const requests: ProposeRequest[] = []
  const judged: (readonly string[])[] = []
  const live = { calls: 0, llmPeak: 0 }
  let llmLive = 0

  const reply = (request: ProposeRequest) => {
    const scripted = options.text?.(request)
    if (scripted) return scripted
    if (request.aim?.kind === 'plan') return { text: `Plan ${request.seed % 5}`, ended: true }
    if (request.aim?.kind === 'compare') return { text: compared(request.problem, request.aim), ended: true }
    const rng = createRng(request.seed)
    const rate = request.temperature === 0 ? 0 : errorRate
    const steps = [...request.steps]
    const fresh: string[] = []
    for (;;) {
      const { text, ended } = nextStep(request.problem, steps, rng, rate)
      steps.push(text)
      fresh.push(text)
      if (ended || request.until === 'step') return { text: fresh.join('\n\n'), ended }
    }
  }

  const work = (ms: number, signal: AbortSignal) =>
    clock.sleep(ms, signal).catch(async error => {
      if (options.lingerMs) await clock.sleep(options.lingerMs, new AbortController().signal)
      throw error
    })

  const propose: Propose = async (request, signal) => {
    requests.push(request)
    const call = requests.length - 1
    live.calls += 1
    llmLive += 1
    live.llmPeak = Math.max(live.llmPeak, llmLive)
    try {
      if (options.latencyMs) await work(options.latencyMs(request), signal)
      const error = options.fails?.(request, call) ?? null
      if (error !== null) throw error
      const { text, ended } = reply(request)
      const tokens = words(text)
      const cut = tokens > request.maxTokens
      return {
        text: cut
          ? text
              .split(/(?<=\s)(?=\S)/)
              .slice(0, request.maxTokens)
              .join('')
          : text,
        ended: ended && !cut,
        ...(request.logprobs && options.logprob && { meanLogprob: options.logprob(text) }),
        usage: {
          calls: 1,
          prompt_tokens: words(request.problem),
          completion_tokens: Math.min(tokens, request.maxTokens) + overshoot,
        },
      }
    } finally {
      live.calls -= 1
      llmLive -= 1
    }
  }

  const judge: Judge = async (problem, paths, signal) => {
    live.calls += 1
    try {
      if (options.latencyMs) await work(1, signal)
      judged.push(...paths)
      const scoreOf = (step: string, path: readonly string[], index: number) => {
        if (options.blind?.(step)) return null
        if (options.score) return options.score(step, path, index)
        const noise = createRng(hash(path.slice(0, index + 1).join('\n')))() * 0.2
        return isRight(problem, path, index) ? 0.95 - noise : 0.1 + noise
      }
      return {
        scores: paths.map(path => path.map((step, index) => scoreOf(step, path, index))),
        tokens: paths.reduce((sum, path) => sum + words(path.join(' ')), 0),
      }
    } finally {
      live.calls -= 1
    }
  }

  return {
    clock,
    requests,
    judged,
    live,
    now: clock.now,
    timeout: clock.sleep,
    propose,
    judge,
    split: text => text.split('\n\n').filter(step => step.trim() !== ''),
    extract: solution => solution.match(/The answer is (\S+)\./)?.[1] ?? null,
    finding: step => options.finding?.(step) ?? null,
    verdict: text => (text === 'first' || text === 'second' ? text : null),
    canon: answer => (Number.isNaN(Number(answer)) ? answer : String(Number(answer))),
  }
}

export const PROBLEM = '5 +3 *2 -4'

/** Runs a search with test defaults to its end. */
export async function search(
  world: World,
  request: Partial<SearchRequest> & Pick<SearchRequest, 'method'>,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ events: SearchEvent[]; result: SearchResult }> {
  const events: SearchEvent[] = []
  const defaults = { problem: PROBLEM, seed: 1, threshold: 0.5, canContinue: true, canInstruct: true }
  const running = runSearch({ ...defaults, ...request }, world, signal)
  for (;;) {
    const next = await running.next()
    if (next.done === true) return { events, result: next.value }
    events.push(next.value)
  }
}
