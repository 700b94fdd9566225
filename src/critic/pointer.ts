// The serving pointer: which version serves, what served before, and why that changes. Pure; knows no store and no folder.
import { AppError } from '../errors.ts'

/** Versions that are remembered. */
const HISTORY = 20

/** Which version serves and what served before, most recent first. */
export interface Pointer {
  readonly version: string
  readonly history: readonly string[]
}

/** Why another critic is to serve. */
export interface Why {
  readonly kind: 'promotion' | 'rollback'
  /** Who or what decided, e.g. `admin` or `gate`. */
  readonly by: string
  /** One sentence. */
  readonly reason: string
  readonly figures?: Readonly<Record<string, unknown>>
  /** Names the event where it may be told again after a crash. */
  readonly id?: string
}

/** On to `version`; the same pointer where it serves already. */
export const forward = (before: Pointer, version: string): Pointer =>
  before.version === version
    ? before
    : { version, history: [before.version, ...before.history].slice(0, HISTORY) }

/** Back to what served before. @throws {AppError} NO_PARENT */
export function back({ history: [version, ...history] }: Pointer): Pointer {
  if (version === undefined) throw new AppError('NO_PARENT', 'Nothing served before this critic.')
  return { version, history }
}
