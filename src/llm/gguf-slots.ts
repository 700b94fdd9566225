// The sequences of a context, lent one text at a time. Knows no model.
import type { LlamaSequence, LlamaToken } from './gguf-library.ts'

export interface Slots {
  /** A free sequence, the one whose state has most of `prompt` already; waits for one, first come first served. */
  take(prompt: readonly LlamaToken[]): Promise<LlamaSequence>
  give(sequence: LlamaSequence): void
}

/** Lends out `sequences`. */
export function createSlots(sequences: readonly LlamaSequence[]): Slots {
  const free = [...sequences]
  const waiting: ((sequence: LlamaSequence) => void)[] = []
  return {
    async take(prompt) {
      if (free.length === 0) return new Promise(resolve => waiting.push(resolve))
      const shared = free.map(sequence => sequence.compareContextTokens(prompt).firstDifferentIndex)
      return free.splice(shared.indexOf(Math.max(...shared)), 1)[0]!
    },
    give(sequence) {
      const next = waiting.shift()
      if (next) next(sequence)
      else free.push(sequence)
    },
  }
}
