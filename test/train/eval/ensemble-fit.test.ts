// Weights of an ensemble: found where they are known, worth something on problems that were held back, nothing for a useless member.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logitOf } from '../../../src/remote/ensemble.ts'
import { fitEnsemble } from '../../../src/train/eval/ensemble-fit.ts'
import type { StepJudge } from '../../../src/train/eval/judge.ts'
import type { LabelledItem } from '../../../src/train/eval/labelled.ts'
import { createRng } from '../../../src/train/rng.ts'

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z))

/** Steps whose truth is drawn by sigmoid(1.5·z₁ + 0.5·z₂ + 0.7), and judges that see z₁, z₂ and a third that sees nothing. */
function makeWorld(problems: number) {
  const rng = createRng('ensemble world')
  const logits: number[][][] = []
  const items = Array.from({ length: problems }, (_, p): LabelledItem => {
    const steps = Array.from({ length: 6 }, () => [rng.normal(), 2 * rng.normal(), rng.normal()])
    logits.push(steps)
    const truths = steps.map(([a, b]) => rng.uniform() < sigmoid(1.5 * a! + 0.5 * b! + 0.7))
    return {
      problem: `${p}`,
      steps: steps.map(() => 'x'),
      truths,
      firstError: truths.indexOf(false),
      kind: null,
    }
  })
  const judge = (m: number, blind = -1): StepJudge => ({
    name: `judge ${m}`,
    threshold: 0.5,
    isProbability: true,
    judge: async asked =>
      asked.map(({ problem }) =>
        logits[Number(problem)]!.map((z, step) => (step === blind ? null : sigmoid(z[m]!))),
      ),
  })
  return { items, judge }
}

test('weights come out as they went in, and the ensemble beats each member on held-back problems', async () => {
  const { items, judge } = makeWorld(800)
  const fit = await fitEnsemble(items, [judge(0), judge(1), judge(2)], { seed: 1 })
  const near = (x: number, want: number) => assert.ok(Math.abs(x - want) < 0.15, `${x} for ${want}`)
  near(fit.weights[0]!, 1.5)
  near(fit.weights[1]!, 0.5)
  near(fit.weights[2]!, 0)
  near(fit.bias, 0.7)
  const [together, ...members] = fit.rows
  assert.equal(together!.critic, 'ensemble, held back')
  assert.ok(together!.ece < 0.03, `${together!.ece}`)
  for (const { step_auc, log_loss } of members) {
    assert.ok(together!.step_auc > step_auc + 0.02)
    assert.ok(together!.log_loss < log_loss - 0.02)
  }
  assert.deepEqual([fit.steps, fit.passed_over], [4800, 0])
  assert.ok(fit.threshold > 0 && fit.threshold < 1)
})

test('a step that some member does not score counts nowhere', async () => {
  const { items, judge } = makeWorld(50)
  const fit = await fitEnsemble(items, [judge(0), judge(1, 3)], { seed: 1 })
  assert.deepEqual([fit.steps, fit.passed_over], [250, 50])
})

test('the same data and seed give the same fit; without wrong steps there is none', async () => {
  const { items, judge } = makeWorld(40)
  const [a, b] = [0, 1].map(() => fitEnsemble(items, [judge(0), judge(1)], { seed: 3 }))
  assert.deepEqual(await a, await b)
  const right = items.map(item => ({ ...item, truths: item.truths.map(() => true), firstError: -1 }))
  await assert.rejects(fitEnsemble(right, [judge(0)], { seed: 1 }), /both right and wrong/)
})

test('one member alone is calibrated by it', async () => {
  const { items, judge } = makeWorld(300)
  const { weights, bias, rows } = await fitEnsemble(items, [judge(1)], { seed: 1 })
  assert.ok(rows[0]!.log_loss < rows[1]!.log_loss)
  assert.ok(weights[0]! > 0 && Number.isFinite(bias + logitOf(0.5)))
})
