// Open programs by bucket, within a limit of memory: the one used longest ago is released first. Knows no model.
import type { Prepared, Program } from '../engine/port.ts'

export interface ProgramsOptions {
  /** Bytes that programs and `fixedBytes` may take together. */
  readonly limitBytes: number
  /** Bytes taken besides programs: weights, moments, gradients. */
  readonly fixedBytes: number
}

export interface Programs {
  /** The program of a key, opened at its first use. @throws naming `what` when it cannot fit the limit. */
  get(key: string, what: string, prepare: () => Promise<Prepared>): Promise<Program>
  release(): Promise<void>
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`

/** A cache of open programs. */
export function createPrograms({ limitBytes, fixedBytes }: ProgramsOptions): Programs {
  const open = new Map<string, Prepared & { readonly program: Program }>() // oldest use first

  async function makeRoom(bytes: number): Promise<void> {
    for (const [key, { program, idleBytes }] of open) {
      const idle = [...open.values()].reduce((sum, entry) => sum + entry.idleBytes, 0)
      if (fixedBytes + bytes + idle <= limitBytes) return
      if (idleBytes === 0) continue
      open.delete(key)
      await program.release()
    }
  }

  return {
    async get(key, what, prepare) {
      const known = open.get(key)
      if (known) {
        open.delete(key)
        open.set(key, known)
        return known.program
      }
      const prepared = await prepare()
      if (fixedBytes + prepared.bytes > limitBytes)
        throw new Error(
          `${what} needs about ${megabytes(prepared.bytes)} beside ${megabytes(fixedBytes)} of weights and their state, and the ` +
            `limit is ${megabytes(limitBytes)} (--memory-mb): lower --batch-tokens, and raise --accumulate to keep the size of a step`,
        )
      await makeRoom(prepared.bytes)
      const program = await prepared.open()
      open.set(key, { ...prepared, program })
      return program
    },
    async release() {
      await Promise.all([...open.values()].map(({ program }) => program.release()))
      open.clear()
    },
  }
}
