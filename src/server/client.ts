// Who a client is: the fingerprint of the key it sends. The key itself goes no further. Knows no route.
import { createHash } from 'node:crypto'
import type { Request } from 'express'

/** The first 16 hex digits of the SHA-256 of `X-Api-Key`, or else of the bearer token; undefined without either. */
export function clientOf(req: Pick<Request, 'get'>): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(req.get('authorization') ?? '')?.[1]
  const key = req.get('x-api-key') || bearer
  return key === undefined ? undefined : createHash('sha256').update(key).digest('hex').slice(0, 16)
}
