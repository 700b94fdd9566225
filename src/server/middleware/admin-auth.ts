// Lets only the holder of the admin key pass. Knows no route.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { AppError } from '../../errors.ts'

/**
 * Wants the key as `Authorization: Bearer …` or `X-Admin-Key`.
 * @throws {AppError} ADMIN_DISABLED without a configured key, ADMIN_UNAUTHORIZED for a missing or wrong one
 */
export function adminAuth(adminKey: string | undefined): RequestHandler {
  if (adminKey === undefined || adminKey === '')
    return function adminDisabled() {
      throw new AppError(
        'ADMIN_DISABLED',
        'Start Spar with the environment variable SPAR_ADMIN_KEY set to a long random value, then send that value as ' +
          '"Authorization: Bearer <key>".',
      )
    }
  const want = digest(adminKey)
  return function adminAuth(req, _res, next) {
    const given = givenKey(req)
    if (given === undefined)
      throw new AppError('ADMIN_UNAUTHORIZED', 'Send the admin key as "Authorization: Bearer <key>".')
    // Digests are of one length, so the comparison takes the same time whatever was sent.
    if (!timingSafeEqual(digest(given), want))
      throw new AppError('ADMIN_UNAUTHORIZED', 'The admin key is wrong.')
    next()
  }
}

function givenKey(req: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(req.get('authorization')?.trim() ?? '')?.[1]
  return bearer ?? req.get('x-admin-key')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
