// What of an answered request goes into the traffic log, and when. Knows neither the store nor the routes.
import type { Request, Response } from 'express'
import { canonAnswer } from '../answer/equal.ts'
import type { TrafficCandidate, TrafficRecord } from '../store/types.ts'
import type { Deps } from './deps.ts'
import { onceSent } from './gone.ts'

/** True when the client opted out with `X-Spar-Log: off`. */
export function isUnlogged(req: Request): boolean {
  return req.get('x-spar-log')?.trim().toLowerCase() === 'off'
}

/** Hands the records over after the answer is sent, unless the client left or opted out. */
export function recordOnceSent(
  res: Response,
  { recorder }: Pick<Deps, 'recorder'>,
  makeRecords: () => readonly TrafficRecord[],
): void {
  if (isUnlogged(res.req)) return
  onceSent(res, () => {
    for (const record of makeRecords()) recorder.record(record)
  })
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
