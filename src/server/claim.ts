// Reads the Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header). Knows no answer.
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { AppError } from '../errors.ts'
import { keyOf } from './asker.ts'
import { clientOf } from './client.ts'
import type { Claim } from './searches.ts'

const MAX_KEY = 255

/** The claim of a request with a checked body, answered in a `way` that is part of what is asked. @throws {AppError} INVALID_REQUEST */
export function readClaim(req: Pick<Request, 'get' | 'body'>, way: string): Claim | undefined {
  const key = req.get('idempotency-key')
  if (key === undefined) return undefined
  if (key === '' || key.length > MAX_KEY)
    throw new AppError('INVALID_REQUEST', `Idempotency-Key must have 1 to ${MAX_KEY} characters.`)
  const asked = JSON.stringify([way, keyOf(req) ?? null, req.body])
  // Two clients that happen on the same key have not asked for the same.
  const owned = JSON.stringify([clientOf(req) ?? null, key])
  return { key: owned, print: createHash('sha256').update(asked).digest('base64') }
}
