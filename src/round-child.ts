// One run of a round in a process of its own: hands it the order, passes on its news, ends it when it must. Knows no job and no store.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AppError } from './errors.ts'
import type { RoundNews, RoundOrder } from './train/round/messages.ts'

type Progress = Extract<RoundNews, { kind: 'progress' }>
export type Outcome = Exclude<RoundNews, { kind: 'progress' }>

export interface RoundChildOptions {
  readonly order: RoundOrder
  /** Told in order; the outcome comes after the last. */
  readonly onProgress: (news: Progress) => Promise<void>
  /** Told when something else killed the process, by which signal, before it is begun again. */
  readonly onKilled?: (by: NodeJS.Signals) => void
  /** Ends the process, which keeps where it stands. */
  readonly signal: AbortSignal
  /** Its program; the tests have shorter ones. */
  readonly program?: string
}

const ROUND_PROCESS = fileURLToPath(new URL('./train/round-process.ts', import.meta.url))
/** What has not come to its end by then is killed: that loses no more than the stage, or the steps since the last checkpoint. */
const GRACE_MS = 5000
/** A process that something else killed (no memory, say) is begun again so often: it goes on from what it kept. */
const MOST_KILLS = 3

/** Runs a round to its end. @throws {AppError} INTERNAL when its process breaks off; an Error when it cannot be started */
export async function runRoundChild(options: RoundChildOptions): Promise<Outcome> {
  for (let kills = 0; ; kills++) {
    const ended = await runOnce(options)
    if (ended.kind !== 'killed') return ended
    if (kills === MOST_KILLS || options.signal.aborted) throw ended.error
    options.onKilled?.(ended.by)
  }
}

type Ended = Outcome | { readonly kind: 'killed'; readonly by: NodeJS.Signals; readonly error: AppError }

async function runOnce({
  order,
  onProgress,
  signal,
  program = ROUND_PROCESS,
}: RoundChildOptions): Promise<Ended> {
  const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let grace: NodeJS.Timeout | undefined
  const stop = () => {
    child.kill('SIGTERM')
    grace = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    return await conversation(child, order, onProgress)
  } finally {
    clearTimeout(grace)
    signal.removeEventListener('abort', stop)
    child.kill('SIGKILL')
  }
}

function conversation(
  child: ChildProcess,
  order: RoundOrder,
  onProgress: RoundChildOptions['onProgress'],
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let errors = ''
    let told: Promise<void> = Promise.resolve() // progress is written in order, before the outcome
    child.stderr?.on('data', chunk => {
      errors = (errors + String(chunk)).slice(-2000)
    })
    child.on('message', (news: RoundNews) => {
      if (news.kind === 'progress') told = told.then(() => onProgress(news)).catch(reject)
      else void told.then(() => resolve(news))
    })
    child.once('error', reject)
    child.once('exit', (code, by) =>
      told.then(() => {
        const error = brokenOff(code ?? by, errors)
        if (by !== null) resolve({ kind: 'killed', by, error })
        else reject(error)
      }),
    )
    child.send(order)
  })
}

/** Of what the process said last only the stack is kept: the rest may quote traffic. */
function brokenOff(end: number | string | null, errors: string): AppError {
  const said = new Error('the last stack of the round’s process')
  said.stack = errors
  const how = typeof end === 'number' ? `ended with code ${end}` : `was killed by ${end}`
  return new AppError('INTERNAL', `Its process ${how}.`, { cause: said })
}
