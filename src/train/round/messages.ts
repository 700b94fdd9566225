// What the trainer's parent and the round's process say to each other. Types only.

import type { UpstreamConfig } from '../../llm/upstreams.ts'
import type { CriticSpec } from '../../remote/specs.ts'
import type { SourceWeights } from './source-weights.ts'

/** What the operator says of rounds. Holds keys of endpoints: never to be logged. */
export interface SparringSettings {
  /** Endpoint that plays the sneaky role. */
  readonly sneakyLlm?: UpstreamConfig
  /** Endpoint that says which step of a solution is wrong. */
  readonly teacherLlm?: UpstreamConfig
  /** Critic elsewhere that scores logged solutions, in the place of `teacherLlm`. */
  readonly teacherCritic?: TeacherCritic
  readonly sourceWeights?: Partial<SourceWeights>
}

export interface TeacherCritic {
  readonly name: string
  readonly spec: Exclude<CriticSpec, { kind: 'ensemble' }>
  /** The one that the spec names, where its kind calls one. */
  readonly upstream?: UpstreamConfig
}

/** Parent to child, once. */
export interface RoundOrder {
  /** `redis://…`, or the path of the SQLite file. */
  readonly store: string
  /** Folder of the critic that serves. */
  readonly servingDir: string
  /** Folder that holds trained critics; the candidate gets a folder of its version in it. */
  readonly outDir: string
  /** The candidate's version. */
  readonly version: string
  readonly minutes: number
  readonly seed: number
  readonly threads: number
  /** Largest part of the traffic that one client may be, and clients that opted out. */
  readonly admit?: { readonly share?: number; readonly without?: readonly string[] }
  /** Least time between two checkpoints while learning, in milliseconds. */
  readonly checkpointMs?: number
  /** Absent: neither endpoints nor weights are set. */
  readonly sparring?: SparringSettings
}

export type Figures = Readonly<Record<string, unknown>>

/** Child to parent. */
export type RoundNews =
  | { readonly kind: 'progress'; readonly stage: string; readonly percent: number; readonly figures: Figures }
  | {
      readonly kind: 'done'
      readonly decision: 'promoted' | 'rejected'
      readonly reason: string
      readonly figures: Figures
    }
  | { readonly kind: 'failed'; readonly message: string }
