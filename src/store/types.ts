// The store port: traffic, feedback, the serving pointer and jobs. Verbs only; no database type in any signature.

/** A critique or search as it was answered. */
export interface TrafficRecord {
  /** The id a client gives feedback on: request_id of a critique (or of one item), or search id. */
  readonly id: string
  readonly kind: 'critique' | 'search'
  /** Unix milliseconds. */
  readonly at: number
  readonly problem: string
  /** One candidate for a critique; all candidates for a search, the chosen one first. */
  readonly candidates: readonly TrafficCandidate[]
  /** Critic version that scored it. */
  readonly critic: string
}

export interface TrafficCandidate {
  readonly steps: readonly string[]
  readonly scores: readonly (number | null)[]
  /** Canonical final answer, null when none could be read. */
  readonly answer: string | null
}

export interface Feedback {
  readonly id: string
  readonly at: number
  readonly answer_correct?: boolean
  /** true = right, one per step from the first; null = no opinion. */
  readonly step_labels?: readonly (boolean | null)[]
}

export interface LabelledTraffic {
  readonly record: TrafficRecord
  readonly feedback: readonly Feedback[]
}

export type JobState = 'queued' | 'running' | 'promoted' | 'rejected' | 'failed' | 'cancelled'

export interface Job {
  readonly id: string
  readonly state: JobState
  readonly stage: string
  /** 0 to 100. */
  readonly percent: number
  readonly figures: Readonly<Record<string, unknown>>
  /** Options the job was started with. */
  readonly params: Readonly<Record<string, unknown>>
  /** One sentence when failed or rejected. */
  readonly reason: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** What serves, and what served before it (most recent first), so that rollback survives a restart. */
export interface Serving {
  readonly version: string
  readonly history: readonly string[]
}

export interface Store {
  /** Resolves once the records are durable: a kill -9 after that loses none of them. */
  appendTraffic(records: readonly TrafficRecord[]): Promise<void>
  /** Returns, in order, whether each id was known; unknown feedback is not stored. */
  addFeedback(items: readonly Feedback[]): Promise<boolean[]>
  /** Newest first, with all feedback given so far. */
  readTraffic(options: { limit: number; since?: number }): Promise<LabelledTraffic[]>
  countTraffic(): Promise<number>
  getServing(): Promise<Serving | null>
  setServing(serving: Serving): Promise<void>
  createJob(job: Job): Promise<void>
  getJob(id: string): Promise<Job | null>
  /** Newest first. */
  listJobs(limit: number): Promise<Job[]>
  /** Changes the named fields; unknown id is a no-op returning null. */
  updateJob(id: string, change: Partial<Omit<Job, 'id' | 'created_at' | 'params'>>): Promise<Job | null>
  close(): Promise<void>
}
