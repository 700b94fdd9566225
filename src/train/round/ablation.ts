// Parts that a round can be run without, to see what each is worth. A word list; the parts themselves look whether they are meant.

/** What a round may be run without, or with alone. */
export const ABLATIONS = [
  /** Plain self-play: no frozen generator or critic is met, no exploiter is trained. */
  'no-league',
  /** Right and wrong labels weigh as often as they come, and a spoiled solution is taught without its original beside it. */
  'no-balance',
  /** An edit counts as wrong without proof. */
  'no-validity',
  /** Nothing of what the critic learned before is taught again. */
  'no-replay',
  /** Lessons from the game (and replay) only. */
  'self-play-only',
  /** Lessons from traffic (and replay) only. */
  'outcomes-only',
] as const

export type Ablation = (typeof ABLATIONS)[number]
/** What this round is run without; empty for a round as it should be. */
export type Ablations = ReadonlySet<Ablation>

export const NO_ABLATION: Ablations = new Set()
