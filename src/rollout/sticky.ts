// Who takes part: the same client always does or never does, for one candidate. Knows no critic.
import { createHash } from 'node:crypto'

/** A place in [0, 1) for a client (or, without one, a request), the same on every server; another candidate, another place. */
export function placeOf(candidate: string, client: string): number {
  const digest = createHash('sha256').update(`${candidate}\n${client}`).digest()
  return digest.readUInt32BE(0) / 2 ** 32
}
