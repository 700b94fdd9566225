// The store port: traffic, feedback, the serving pointer, decisions, notes and jobs. Verbs only; no database type in any signature.
import type { Log } from '../log.ts'

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
  /** Fingerprint of the key the client sent, where it sent one. */
  readonly client?: string
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
  /** Fingerprint of the key of whoever says so. */
  readonly client?: string
}

export interface LabelledTraffic {
  readonly record: TrafficRecord
  readonly feedback: readonly Feedback[]
}

export type JobState = 'queued' | 'running' | 'paused' | 'promoted' | 'rejected' | 'failed' | 'cancelled'

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

/** A decision about which critic serves, as it is handed to the store. */
export interface DecisionFacts {
  /** Names the event, so that telling it again after an unknown outcome records it once. */
  readonly id: string
  readonly at: number
  readonly kind: 'promotion' | 'refusal' | 'rollback'
  /** Who or what decided: `admin`, or the part of Spar, e.g. `gate`. */
  readonly by: string
  /** The version that was decided on. */
  readonly critic: string
  /** What served before and what serves after it. */
  readonly before: string | null
  readonly after: string | null
  /** One sentence. */
  readonly reason: string
  /** sha256 of the records the critic was trained on; null when unknown. */
  readonly data_hash: string | null
  /** Versions it comes from, the nearest first. */
  readonly parents: readonly string[]
  readonly figures: Readonly<Record<string, unknown>>
}

/** An entry of the decision record, see decisions.ts. */
export interface Decision extends DecisionFacts {
  /** From 1, without gaps. */
  readonly seq: number
  /** `hash` of the entry before; 64 zeros in the first. */
  readonly previous: string
  /** sha256 of the canonical JSON of all other fields. */
  readonly hash: string
}

/** A small value that processes share, with the number of its change. */
export interface Note {
  readonly key: string
  /** From 1; grows with each change. */
  readonly revision: number
  readonly value: unknown
}

/** The fields of a job that change while it lives. */
export type JobChange = Partial<Omit<Job, 'id' | 'created_at' | 'params'>>

/** What must hold for a change to a job to be made; checked and changed in one atomic step. */
export interface JobGuard {
  /** The change is made only while this owner holds the job's lease (an expired lease nobody took counts as held). */
  readonly owner?: string
  /** The change is made only from one of these states. */
  readonly states?: readonly JobState[]
}

/** Which records to forget. With both fields a record goes when either says so. */
export interface Retention {
  /** Unix milliseconds: records with `at` before it go. */
  readonly olderThan?: number
  /** How many of the newest records stay. */
  readonly keep?: number
}

/**
 * Times are Unix milliseconds and always come from the caller; machines that share a store must agree on the clock
 * to well under a lease. What cannot be read back (a damaged row) is skipped and logged, never thrown.
 * Every verb: @throws {AppError} NOT_READY when the store cannot be reached or is busy.
 */
export interface Store {
  /**
   * Resolves once the records are durable: a kill -9 after that loses none of them. All or none are stored.
   * An id that is already there keeps its first record, so that trying again after an unknown outcome is safe.
   */
  appendTraffic(records: readonly TrafficRecord[]): Promise<void>
  /**
   * Returns, in order, whether each id was known; unknown feedback is not stored. Feedback equal in every field,
   * `at` included, counts once, so that trying again is safe.
   */
  addFeedback(items: readonly Feedback[]): Promise<boolean[]>
  /**
   * Newest first by `at`, then by arrival; at most `limit`, `at >= since`, without the first `skip`. All feedback so far, in order of arrival. What
   * arrives between two reads moves the rest along: whoever reads on by `skip` may meet a record again.
   */
  readTraffic(options: { limit: number; since?: number; skip?: number }): Promise<LabelledTraffic[]>
  /** Records with their feedback, the one that was spoken of last first; at most `limit` (500 at most), one with much feedback takes the place of several. */
  readHeard(limit: number): Promise<LabelledTraffic[]>
  /** Records with `at >= since`; all when left out. */
  countTraffic(since?: number): Promise<number>
  /** Forgets records and their feedback; returns how many records went. No field set: none go. */
  pruneTraffic(retention: Retention): Promise<number>
  getServing(): Promise<Serving | null>
  setServing(serving: Serving): Promise<void>
  /**
   * Moves the pointer away from the version `from` and records why, in one atomic step. Returns null, and changes nothing, when
   * another version serves.
   */
  moveServing(from: string, to: Serving, facts: DecisionFacts): Promise<Decision | null>
  /** Puts an entry at the end of the record; of many writers each gets its own place. An `id` that is there keeps its first entry. */
  appendDecision(facts: DecisionFacts): Promise<Decision>
  /** Entries as they are stored, oldest first: for `checkChain`, damaged ones must be seen. */
  readDecisions(): Promise<string[]>
  getNote(key: string): Promise<Note | null>
  /** Notes whose key begins so, sorted by key. */
  listNotes(prefix: string): Promise<Note[]>
  /**
   * Writes (null removes) when the note's revision is the one given, 0 for none: of many writers at once one wins. Returns whether
   * it did.
   */
  putNote(key: string, value: unknown, revision: number): Promise<boolean>
  /** Returns false, and stores nothing, when it would be a second queued, running or paused job or its id is taken: atomic. */
  createJob(job: Job): Promise<boolean>
  getJob(id: string): Promise<Job | null>
  /** Newest first by `created_at`, then by arrival. */
  listJobs(limit: number): Promise<Job[]>
  /**
   * Changes the named fields and returns the job as it is then. Returns null, and changes nothing, when the id is
   * unknown, the guard does not hold, or the change would make a second job queued, running or paused. Leaving `running`
   * ends the lease. `updated_at` changes only when it is named.
   */
  updateJob(id: string, change: JobChange, guard?: JobGuard): Promise<Job | null>
  /**
   * Takes the queued job, or a running one whose lease ran out (`now` >= its end), for `owner` until `now + leaseMs`:
   * one caller wins. The job returned is `running`; null when there is nothing to take, as while it is paused.
   */
  claimJob(owner: string, leaseMs: number, now: number): Promise<Job | null>
  /** Extends the lease to `now + leaseMs`; false when `owner` no longer holds it, which means: stop working. */
  renewLease(id: string, owner: string, leaseMs: number, now: number): Promise<boolean>
  close(): Promise<void>
}

/** Where the store tells of damage and outages. */
export type StoreLog = Pick<Log, 'warn'>
