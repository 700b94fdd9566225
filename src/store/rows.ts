// Reading back what a store holds: stored text to typed values, or null when it is damaged. Knows no database.
import type {
  Feedback,
  Job,
  JobChange,
  JobState,
  Serving,
  StoreLog,
  TrafficCandidate,
  TrafficRecord,
} from './types.ts'

/** A job as both adapters store it: `figures`, `params` are JSON text, `reason` is text or null. */
export type JobRow = Readonly<Record<keyof Job, unknown>>

/** A record from its JSON text; null when it is not one. */
export function readRecord(text: unknown): TrafficRecord | null {
  const value = parseJson(text)
  return isObject(value) &&
    typeof value.id === 'string' &&
    (value.kind === 'critique' || value.kind === 'search') &&
    isNumber(value.at) &&
    typeof value.problem === 'string' &&
    isArrayOf(value.candidates, isCandidate) &&
    typeof value.critic === 'string' &&
    (value.client === undefined || isString(value.client))
    ? (value as unknown as TrafficRecord)
    : null
}

/** Feedback from its JSON text; null when it is not one. */
export function readFeedback(text: unknown): Feedback | null {
  const value = parseJson(text)
  return isObject(value) &&
    typeof value.id === 'string' &&
    isNumber(value.at) &&
    (value.answer_correct === undefined || typeof value.answer_correct === 'boolean') &&
    (value.step_labels === undefined || isArrayOf(value.step_labels, isBooleanOrNull)) &&
    (value.client === undefined || isString(value.client))
    ? (value as unknown as Feedback)
    : null
}

/** The serving pointer from its JSON text; null when it is not one. */
export function readServing(text: unknown): Serving | null {
  const value = parseJson(text)
  return isObject(value) && typeof value.version === 'string' && isArrayOf(value.history, isString)
    ? (value as unknown as Serving)
    : null
}

/** A job from its stored fields; null when one of them is damaged. */
export function readJob(row: JobRow): Job | null {
  const figures = parseJson(row.figures)
  const params = parseJson(row.params)
  const { id, state, stage, percent, reason, created_at, updated_at } = row
  return isString(id) &&
    isJobState(state) &&
    isString(stage) &&
    isNumber(percent) &&
    isObject(figures) &&
    isObject(params) &&
    (reason === null || isString(reason)) &&
    isNumber(created_at) &&
    isNumber(updated_at)
    ? { id, state, stage, percent, figures, params, reason, created_at, updated_at }
    : null
}

/** The job with the named fields changed; a field named as undefined stays. */
export function applyChange(job: Job, change: JobChange): Job {
  const named = Object.entries(change).filter(([, value]) => value !== undefined)
  return { ...job, ...(Object.fromEntries(named) as JobChange) }
}

/** True for the three states of which a store holds at most one job: a paused one keeps its place. */
export function isActive(state: JobState): boolean {
  return state === 'queued' || state === 'running' || state === 'paused'
}

/** Collects what is readable; one warning tells how many rows of `what` were not. */
export function keepReadable<T>(values: readonly (T | null)[], what: string, log: StoreLog | undefined): T[] {
  const readable = values.filter(value => value !== null)
  const damaged = values.length - readable.length
  if (damaged > 0) log?.warn({ damaged, what }, 'skipped damaged rows of the store')
  return readable
}

/** Records that `readHeard` gives at most, and words of feedback that it looks back on. */
export const MOST_HEARD = 500
export const HEARD = 4 * MOST_HEARD

/** A count a database can take, from any number: whole, from 0 to 2^31 - 1; NaN is 0. */
export function asCount(value: number): number {
  return Math.min(Math.max(Math.floor(value) || 0, 0), 2 ** 31 - 1)
}

/** JSON text to its value; undefined when it is not JSON text. */
export function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCandidate(value: unknown): value is TrafficCandidate {
  return (
    isObject(value) &&
    isArrayOf(value.steps, isString) &&
    isArrayOf(value.scores, isNumberOrNull) &&
    (value.answer === null || isString(value.answer))
  )
}

const JOB_STATES: Readonly<Record<JobState, true>> = {
  queued: true,
  running: true,
  paused: true,
  promoted: true,
  rejected: true,
  failed: true,
  cancelled: true,
}

function isJobState(value: unknown): value is JobState {
  return isString(value) && Object.hasOwn(JOB_STATES, value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isArrayOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(is)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || isNumber(value)
}

function isBooleanOrNull(value: unknown): value is boolean | null {
  return value === null || typeof value === 'boolean'
}
