// The gate on measurements whose truth is planted: better, equal, flipped, miscalibrated, narrowly worse, without scores.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auc, type Judged } from '../../src/train/eval/metrics.ts'
import { createRng } from '../../src/train/rng.ts'
import { bootstrapAuc, bootstrapMean } from '../../src/train/round/bootstrap.ts'
import { decide, fallenBefore } from '../../src/train/round/gate.ts'
import type { Measured } from '../../src/train/round/measure.ts'
import type { JudgedDuel } from '../../src/train/round/play.ts'

type Score = (truth: number, i: number) => number | null

const noise = (i: number): number => createRng(`noise ${i}`).uniform()
/** A calibrated critic: right steps score high, wrong ones low, with overlap. */
const fair: Score = (truth, i) => (noise(i) < 0.8 ? truth : 1 - truth) * 0.6 + 0.2

const duel = (ordered: number): JudgedDuel => ({
  problem: '',
  steps: [],
  spoiled: {
    steps: [],
    wrong_index: 0,
    operator: 'near_miss',
    provably_wrong: true,
    why: '',
    propagated: true,
    available: [],
  },
  fooled: false,
  falseAlarm: false,
  ordered,
})

/** 120 problems with a right solution and one whose second step is wrong. */
function measured(
  score: Score,
  {
    traffic = [],
    chosen = [],
    ordered = [],
  }: { traffic?: number[]; chosen?: number[]; ordered?: number[] } = {},
): Measured {
  const source = 'human'
  const slice = Array.from({ length: 120 }, (_, p) => [
    { problem: `${p}`, source, firstError: -1, scores: [score(1, 4 * p), score(1, 4 * p + 1)] },
    { problem: `${p}`, source, firstError: 1, scores: [score(1, 4 * p + 2), score(0, 4 * p + 3)] },
  ]).flat()
  return { version: 'x', threshold: 0.5, slice, traffic, chosen, sneaky: ordered.map(duel), frozen: [] }
}

/** Half of the problems labelled by construction, half by people. */
function twoSources(first: Score, second: Score): Measured {
  const [a, b] = [measured(first), measured(second)]
  const slice = a.slice.map((item, i) =>
    Number(item.problem) % 2 === 0 ? b.slice[i]! : { ...item, source: 'construction' },
  )
  return { ...a, slice }
}

const half = Array.from({ length: 10 }, () => 0.5)
const CASES: readonly {
  name: string
  serving: Measured
  candidate: Measured
  want: 'promoted' | 'rejected'
  reason: RegExp
}[] = [
  {
    name: 'an equal candidate is promoted',
    serving: measured(fair),
    candidate: measured(fair),
    want: 'promoted',
    reason: /step AUC on the slice \+0\.000/,
  },
  {
    name: 'a better candidate is promoted',
    serving: measured(fair),
    candidate: measured(truth => (truth === 1 ? 0.9 : 0.1)),
    want: 'promoted',
    reason: /step AUC on the slice \+0\.\d+/,
  },
  {
    name: 'a candidate trained on flipped labels is refused',
    serving: measured(fair),
    candidate: measured((truth, i) => 1 - fair(truth, i)!),
    want: 'rejected',
    reason: /step AUC on the slice fell by 0\.\d+/,
  },
  {
    name: 'a miscalibrated candidate is refused though it orders as well as before',
    serving: measured(fair),
    candidate: measured((truth, i) => fair(truth, i)! ** 4),
    want: 'rejected',
    reason: /^The candidate is worse: its calibration error is 0\.\d+ where it was 0\.\d+\.$/,
  },
  {
    name: 'a candidate without scores is refused',
    serving: measured(fair),
    candidate: measured(() => null),
    want: 'rejected',
    reason: /no score in 480 places/,
  },
  {
    name: 'a candidate that leaves a few steps unscored is refused',
    serving: measured(fair),
    candidate: measured((truth, i) => (i === 7 ? null : fair(truth, i))),
    want: 'rejected',
    reason: /no score in 1 places/,
  },
  {
    name: 'a candidate whose scores are not numbers is refused',
    serving: measured(fair),
    candidate: measured(() => Number.NaN),
    want: 'rejected',
    reason: /no score in 480 places/,
  },
  {
    name: 'losing on held-back traffic is refused though the slice is better',
    serving: measured(fair, { traffic: half }),
    candidate: measured(truth => (truth === 1 ? 0.9 : 0.1), { traffic: half.map(x => x - 0.05) }),
    want: 'rejected',
    reason: /^The candidate is worse: pairs of held-back traffic fell by 0\.050\.$/,
  },
  {
    name: 'seven traffic problems decide nothing',
    serving: measured(fair, { traffic: half.slice(3) }),
    candidate: measured(fair, { traffic: half.slice(3).map(() => 0) }),
    want: 'promoted',
    reason: /^The candidate is not worse: step AUC on the slice \+0\.000\.$/,
  },
  {
    name: 'a candidate that cannot score some of the traffic is refused',
    serving: measured(fair, { traffic: half }),
    candidate: measured(fair, { traffic: half.map((x, i) => (i < 3 ? Number.NaN : x)) }),
    want: 'rejected',
    reason: /^The candidate is worse: it gives no score in 3 places where the serving critic gives one\.$/,
  },
  {
    name: 'traffic that neither of the two could score does not count',
    serving: measured(fair, { traffic: half.map((x, i) => (i < 3 ? Number.NaN : x)) }),
    candidate: measured(fair, { traffic: half.map((_, i) => (i < 3 ? Number.NaN : 0)) }),
    want: 'promoted',
    reason: /not worse: step AUC on the slice \+0\.000\.$/,
  },
  {
    name: 'losing to sneaky edits is refused',
    serving: measured(fair, { ordered: Array.from({ length: 100 }, () => 1) }),
    candidate: measured(fair, { ordered: Array.from({ length: 100 }, (_, i) => (i < 10 ? 0 : 1)) }),
    want: 'rejected',
    reason: /sneaky edits scored below the original fell by 0\.100/,
  },
  {
    name: 'losing a few duels more is let through',
    serving: measured(fair, { ordered: Array.from({ length: 100 }, () => 1) }),
    candidate: measured(fair, { ordered: Array.from({ length: 100 }, (_, i) => (i < 2 ? 0 : 1)) }),
    want: 'promoted',
    reason: /sneaky edits scored below the original -0\.020/,
  },
  {
    name: 'a small fall that chance does not explain is refused',
    serving: measured(fair, { traffic: Array.from({ length: 50 }, () => 0.5) }),
    candidate: measured(fair, { traffic: Array.from({ length: 50 }, () => 0.495) }),
    want: 'rejected',
    reason: /traffic fell by 0\.005, which chance does not explain/,
  },
  {
    name: 'a small fall within chance is let through',
    serving: measured(fair, { traffic: Array.from({ length: 50 }, () => 0.5) }),
    candidate: measured(fair, { traffic: Array.from({ length: 50 }, (_, i) => (i % 2 ? 0.3 : 0.69)) }),
    want: 'promoted',
    reason: /pairs of held-back traffic -0\.005/,
  },
  {
    name: 'losing on one part of the slice is refused though the whole is better',
    serving: twoSources(fair, fair),
    candidate: twoSources(
      truth => (truth === 1 ? 0.9 : 0.1),
      truth => (truth === 1 ? 0.45 : 0.55),
    ),
    want: 'rejected',
    reason: /step AUC on labels by human fell by 0\.\d+, which chance does not explain/,
  },
  {
    name: 'a calibration that got much worse on one part is refused though it orders that part as before',
    serving: twoSources(fair, fair),
    candidate: twoSources(
      truth => 0.98 * truth + 0.01,
      (truth, i) => fair(truth, i)! * 0.75,
    ),
    want: 'rejected',
    reason: /its calibration error on labels by human is 0\.\d+ where it was 0\.\d+/,
  },
  {
    name: 'choosing worse among the same samples is refused though pairs are as good',
    serving: measured(fair, { traffic: half, chosen: half.map(() => 0.9) }),
    candidate: measured(fair, { traffic: half, chosen: half.map(() => 0.6) }),
    want: 'rejected',
    reason:
      /^The candidate is worse: best-of-n on held-back traffic fell by 0\.300, which chance does not explain\.$/,
  },
  {
    name: 'choosing worse once in ten is let through',
    serving: measured(fair, { traffic: half, chosen: half.map(() => 1) }),
    candidate: measured(fair, { traffic: half, chosen: half.map((_, i) => (i === 0 ? 0 : 1)) }),
    want: 'promoted',
    reason: /best-of-n on held-back traffic -0\.100/,
  },
  {
    name: 'a slice that has no wrong step cannot tell',
    serving: { ...measured(fair), slice: measured(fair).slice.filter(l => l.firstError < 0) },
    candidate: { ...measured(fair), slice: measured(fair).slice.filter(l => l.firstError < 0) },
    want: 'rejected',
    reason: /step AUC on the slice cannot be measured/,
  },
]
for (const { name, serving, candidate, want, reason } of CASES)
  test(name, () => {
    const verdict = decide(serving, candidate, createRng(5))
    assert.equal(verdict.decision, want, verdict.reason)
    assert.match(verdict.reason, reason)
  })

for (const [cost, reason] of [
  [{ latency: 3, memory: 1 }, 'it takes 3.0 times as long'],
  [{ latency: 1, memory: 2 }, 'its model is 2.0 times as large'],
] as const)
  test(`a candidate of which ${reason.replace('it takes', 'one call takes')} is refused`, () => {
    const better = measured(truth => (truth === 1 ? 0.9 : 0.1))
    const verdict = decide(measured(fair), better, createRng(5), cost)
    assert.deepEqual([verdict.decision, verdict.reason], ['rejected', `The candidate is worse: ${reason}.`])
    assert.deepEqual(verdict.figures['cost'], cost)
  })

test('the same seed decides with the same figures', () => {
  const [a, b] = [measured(fair), measured((t, i) => fair(t, i + 1))]
  assert.deepEqual(decide(a, b, createRng(5)), decide(a, b, createRng(5)))
})

test('the bootstrap of an AUC starts from the AUC itself', () => {
  const rng = createRng(2)
  const groups = () =>
    Array.from({ length: 30 }, () =>
      Array.from(
        { length: rng.int(1, 5) },
        (): Judged => ({ score: rng.int(0, 9) / 10, right: rng.int(0, 1) === 1 }),
      ),
    )
  const [a, b] = [groups(), groups()]
  const { difference, low, high } = bootstrapAuc(a, b, createRng(3))
  assert.ok(Math.abs(difference - (auc(b.flat()) - auc(a.flat()))) < 1e-12)
  assert.ok(low < difference && difference < high, `${low} ${difference} ${high}`)
})

test('the interval of a mean has about the width that theory gives', () => {
  const rng = createRng(4)
  const sample = Array.from({ length: 400 }, () => rng.normal())
  const { low, high } = bootstrapMean(sample, createRng(5))
  const theory = (2 * 1.2816) / Math.sqrt(400)
  assert.ok(Math.abs((high - low) / theory - 1) < 0.2, `${high - low} against ${theory}`)
})

test('nothing to resample gives no number', () => {
  assert.deepEqual(bootstrapMean([], createRng(1)), {
    difference: Number.NaN,
    low: Number.NaN,
    high: Number.NaN,
    highest: Number.NaN,
  })
})

test('falls that each round lets pass do not add up: the slice is held against the best of the line', () => {
  const slightly: Score = (truth, i) => fair(i % 97 === 2 ? 1 - truth : truth, i)
  const [was, is] = [measured(fair), measured(slightly)]
  const one = decide(was, is, createRng(5))
  const { difference } = one.figures['step_auc'] as { difference: number }
  assert.ok(difference < 0, `${difference}`)
  assert.equal(one.decision, 'promoted', one.reason)
  const round = { ...one, figures: { gate: one.figures } }
  const fallen = fallenBefore({ metrics: { round } })
  assert.ok(Math.abs(fallen + difference) < 1e-3)
  const last = decide(was, is, createRng(5), undefined, 0.02 + difference / 2)
  assert.equal(last.decision, 'rejected')
  assert.match(last.reason, /step AUC on the slice fell by 0\.02\d over the rounds since it was best/)
  const back = decide(is, was, createRng(5), undefined, 0.02)
  assert.equal(back.decision, 'promoted', back.reason)
  assert.ok((back.figures['fallen'] as number) < 0.02)
  assert.deepEqual(
    [{}, { round: {} }, { round: { figures: { gate: { fallen: 'x' } } } }].map(metrics =>
      fallenBefore({ metrics }),
    ),
    [0, 0, 0],
  )
})
