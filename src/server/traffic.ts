// What of an answered request goes into the traffic log, and when. Knows neither the store nor the routes.
import type { Request, Response } from 'express'
import { canonAnswer } from '../answer/equal.ts'
import type { TrafficCandidate, TrafficRecord } from '../store/types.ts'
import { clientOf } from './client.ts'
import type { Deps } from './deps.ts'
import { hasLeft } from './gone.ts'

/** True when nothing of the request may be kept: `X-Spar-Log` says `off`, or says nothing where clients are asked first, or the client's key opted out. */
export function isUnlogged(req: Request, { privacy = {} }: Deps['config']): boolean {
  const wish = req.get('x-spar-log')?.trim().toLowerCase()
  if (wish === 'off' || (privacy.onlyWhenAsked === true && wish !== 'on')) return true
  const client = clientOf(req)
  return client !== undefined && privacy.optedOut?.includes(client) === true
}

/** Hands the records over before the answer is sent: who has it finds it in the log, whatever happens then. Not when the client left or opted out. */
export function recordAnswer(
  res: Response,
  { recorder, config }: Pick<Deps, 'recorder' | 'config'>,
  makeRecords: () => readonly TrafficRecord[],
): void {
  if (isUnlogged(res.req, config) || hasLeft(res)) return
  for (const record of makeRecords()) recorder.record(ofClient(res.req, record))
}

/** The record with the fingerprint of the key it came with. */
export function ofClient(req: Request, record: TrafficRecord): TrafficRecord {
  const client = clientOf(req)
  return client === undefined ? record : { ...record, client }
}

/** A candidate as it is logged: `scores` has one entry a step, `answer` is as written. */
export function logged(
  steps: readonly string[],
  scores: readonly (number | null)[],
  answer: string | null,
): TrafficCandidate {
  const canonical = answer === null ? '' : canonAnswer(answer)
  return { steps, scores, answer: canonical === '' ? null : canonical }
}
