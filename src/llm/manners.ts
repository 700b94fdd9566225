// What was learned of how one model of one endpoint behaves, beyond a single request. Knows no HTTP.
import type { ContinuationMode } from './types.ts'

/** A field that not every endpoint takes, and that can be done without. */
export type Extra = 'logprobs' | 'stream' | 'stream_options'

/**
 * A field of every request that some endpoints refuse all the same: Mistral takes no `seed`, OpenAI's reasoning models no `temperature`
 * and no `stop`, and `max_tokens` under its newer name only.
 */
export type Usual = 'seed' | 'temperature' | 'stop' | 'max_tokens'

/** Shared by all clients of a model at an endpoint; they write into it. */
export interface Manners {
  /** How it continues a partial answer; undefined until that is known. */
  mode: ContinuationMode | undefined
  /**
   * How often in a row the stop sequence ended a step before its first word. Some chat templates trim the break that the partial answer
   * ends with (Llama 3), and some models think in paragraphs first.
   */
  emptySteps: number
  /** True once it was seen to write on behind a step that it should have stopped at. */
  writesOn: boolean
  /** What it refuses, or takes no notice of. */
  readonly refuses: Set<Extra | Usual>
}

/** Of an endpoint that was never asked. */
export const createManners = (): Manners => ({
  mode: undefined,
  emptySteps: 0,
  writesOn: false,
  refuses: new Set(),
})
