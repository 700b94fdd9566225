// The process a sparring round runs in: takes one order from its parent, tells of progress and the end, never outlives it.
// Knows no job and no registry.
import { constants, setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, isAway } from '../errors.ts'
import { createOpenAiLlm } from '../llm/openai.ts'
import { openRemoteCritics } from '../remote/open.ts'
import { openRedisStore } from '../store/redis.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { LabelledTraffic } from '../store/types.ts'
import { MAX_RECORDS } from './round/collect.ts'
import type { RoundNews, RoundOrder, SparringSettings } from './round/messages.ts'
import { readNewest } from './round/newest.ts'
import { runRound } from './round/round.ts'
import type { Teacher } from './round/teacher.ts'
import { criticTeacher, llmTeacher } from './round/teachers.ts'

/** A second apart: a store that is started again must not end the round. */
const MOST_TRIES = 120

const stopping = new AbortController()
// A terminal's Ctrl-C reaches this process too. Whoever sends them twice is in no more of a hurry: the parent kills what takes too long.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort())
process.once('disconnect', () => process.exit(1)) // nobody is left to use what it would find
process.once('message', (order: RoundOrder) => void work(order))

async function work(order: RoundOrder): Promise<void> {
  lowerPriority()
  try {
    const traffic = await readTraffic(order.store)
    const { sparring = {}, ...plain } = order
    const { sneakyLlm, sourceWeights } = sparring
    const teacher = openTeacher(sparring)
    const { decision, reason, figures } = await runRound({
      ...plain,
      ...(sneakyLlm && { sneakyLlm: createOpenAiLlm(sneakyLlm) }),
      ...(teacher && { teacher }),
      ...(sourceWeights && { sourceWeights }),
      traffic,
      now: () => performance.now(),
      createdAt: new Date().toISOString(),
      signal: stopping.signal,
      report: (stage, percent, figures) => tell({ kind: 'progress', stage, percent, figures }),
    })
    end({ kind: 'done', decision, reason, figures })
  } catch (error) {
    if (stopping.signal.aborted) return end({ kind: 'failed', message: 'The round was stopped.' })
    console.error(error)
    end({ kind: 'failed', message: messageOf(error) })
  }
}

/** Solutions a teacher is asked about at once: what is begun is waited for, and one that writes takes many calls for each. */
const HANDFUL = { vllm: 64, generative: 4 }

function openTeacher({ teacherLlm, teacherCritic }: SparringSettings): Teacher | null {
  if (teacherLlm) return llmTeacher(createOpenAiLlm(teacherLlm))
  if (!teacherCritic) return null
  const { name, spec, upstream } = teacherCritic
  const critics = openRemoteCritics({
    specs: new Map([[name, spec]]),
    upstreams: new Map(upstream && [[upstream.name, upstream]]),
    local: () => {
      throw new Error('a critic of this service does not teach')
    },
  })
  return criticTeacher(critics.get(name)!, HANDFUL[spec.kind])
}

/** Serving comes first where they share a machine. */
function lowerPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {} // some systems forbid it; the round works all the same
}

/** Reads all there is to learn from and lets go of the store. */
async function readTraffic(address: string): Promise<LabelledTraffic[]> {
  const isRedis = /^rediss?:\/\//.test(address)
  const store = isRedis ? openRedisStore(address) : openSqliteStore(address)
  try {
    for (let tries = 1; ; tries++) {
      try {
        return await readNewest(store, MAX_RECORDS)
      } catch (error) {
        if (!isAway(error) || tries === MOST_TRIES) throw error
      }
      await sleep(1000, undefined, { signal: stopping.signal })
    }
  } finally {
    await store.close()
  }
}

const messageOf = (error: unknown): string =>
  error instanceof AppError ? error.message : `The round broke off: ${(error as Error).message}`

function tell(news: RoundNews): void {
  if (process.connected) process.send?.(news)
}

/** Sends the last message and ends once it is on its way. */
function end(news: RoundNews): void {
  if (process.send === undefined || !process.connected) process.exit(1)
  process.send(news, () => process.exit(0))
}
