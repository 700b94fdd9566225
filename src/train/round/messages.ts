// What the trainer's parent and the round's process say to each other. Types only.

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
