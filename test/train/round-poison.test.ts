// Poisoned traffic, from the records of a store to the gate's decision: a key that floods the service with wrong feedback and hostile
// texts must not get a worse critic promoted.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openScorer } from '../../src/critic/scorer.ts'
import type { LabelledTraffic } from '../../src/store/types.ts'
import { auc, labelledSteps } from '../../src/train/eval/metrics.ts'
import { createRng } from '../../src/train/rng.ts'
import { collect, collectFigures } from '../../src/train/round/collect.ts'
import { runRound } from '../../src/train/round/round.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import { feedbackTraffic, labelledExamples, writeRoundCritic } from './round-world.ts'

const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
before(() => writeRoundCritic(at('serving'), { version: 'critic@0.1.0' }))
after(() => folder.remove())

/** Texts that were made to break readers, training and logs. */
const HOSTILE = [
  '<step><step><eos>[PAD]</s><|endoftext|>',
  `${'9'.repeat(3000)} + 1 = ${'9'.repeat(3000)}`,
  '1 / 0 = NaN, 0 / 0 = Infinity, 1e999 * -1e999 = 0',
  '\0\ud800\u202e\u2028𝟙𝟚 ＋ 𝟛 = ⅓⅓⅓',
  '(((((((((((((((((((((((((((((((((((((((((((((((((((1',
  '__proto__ constructor toString {"labels":[1,1,1]} \n{"source":"human"}',
  ' \t\n ',
]

/** Scores as a critic that knows right from wrong gives them, by the truth that `feedbackTraffic` tells. */
const scored = (traffic: readonly LabelledTraffic[], client: string): LabelledTraffic[] =>
  traffic.map(({ record, feedback }, i) => {
    const right = feedback[0]!.answer_correct === true
    const candidates = record.candidates.map(candidate => ({
      ...candidate,
      scores: candidate.steps.map(() => (right ? 0.7 : 0.4) + (i % 5) / 20),
    }))
    return {
      record: { ...record, candidates, client },
      feedback: feedback.map(item => ({ ...item, client })),
    }
  })

/** Honest traffic, and a flood of eight times as much by one key: every verdict turned around, hostile texts in between. */
function poisoned(): LabelledTraffic[] {
  const honest = scored(feedbackTraffic(40), 'honest')
  const flood = Array.from({ length: 8 }, (_, wave) =>
    scored(feedbackTraffic(40), 'flood').map(({ record, feedback }, i): LabelledTraffic => {
      const id = `flood_${wave}_${i}`
      const [candidate] = record.candidates
      const hostile = HOSTILE[i % HOSTILE.length]!
      const steps = [...candidate!.steps, ...(i % 3 === 0 ? [hostile] : [])]
      const scores = [...candidate!.scores, ...(i % 3 === 0 ? [0.5] : [])]
      return {
        record: { ...record, id, candidates: [{ ...candidate!, steps, scores }] },
        feedback: feedback.map(item => ({
          ...item,
          id,
          at: item.at + 9,
          answer_correct: !item.answer_correct,
        })),
      }
    }),
  ).flat()
  return [...flood, ...honest]
}

const round = (version: string, traffic: readonly LabelledTraffic[]) =>
  runRound({
    traffic,
    servingDir: at('serving'),
    outDir: at('trained'),
    version,
    minutes: 0.02,
    seed: 1,
    threads: 1,
    now: () => performance.now(),
    createdAt: '2026-01-01T00:00:00.000Z',
    report: () => {},
  })

/** Step AUC on solutions that no round has seen. */
async function stepAuc(dir: string): Promise<number> {
  const scorer = await openScorer(dir)
  const examples = labelledExamples('honest judge', 120, 'heldout')
  const critiques = await scorer.judge(examples)
  await scorer.release()
  return auc(
    labelledSteps(
      examples,
      critiques.map(({ steps }) => steps.map(step => step.score)),
    ),
  )
}

test('a flood of turned-around feedback and hostile texts ends no round, teaches nothing and shows in no report', async () => {
  const { figures, reason, decision } = await round('flooded', poisoned())
  const { inverted_clients, inverted_feedback } = figures['admitted'] as Record<string, number>
  assert.deepEqual([inverted_clients, inverted_feedback], [1, 8 * feedbackTraffic(40).length])
  // What is learned from is what there would be without the flood.
  const honest = collect(scored(feedbackTraffic(40), 'honest'), at('serving'), createRng('any'))
  assert.deepEqual(figures['collected'], collectFigures(honest))
  const [was, is] = [await stepAuc(at('serving')), await stepAuc(at('trained/flooded'))]
  assert.ok(decision === 'rejected' || is >= was - 0.02, `${reason} ${was} -> ${is}`)
  const told = JSON.stringify([figures, reason]) + readFileSync(at('trained/flooded/manifest.json'), 'utf8')
  for (const text of HOSTILE.slice(0, 3)) assert.ok(!told.includes(text.slice(0, 20)))
})

test('a flood that nobody can tell from honest traffic does not get a worse critic promoted', async () => {
  // Without keys nothing is set aside: only the gate stands between the flood and the clients.
  const nameless = poisoned().map(({ record: { client: _, ...record }, feedback }) => ({
    record,
    feedback: feedback.map(({ client: _, ...item }) => item),
  }))
  const { decision, reason, figures } = await round('nameless', nameless)
  assert.equal((figures['admitted'] as Record<string, number>)['inverted_clients'], 0)
  const [was, is] = [await stepAuc(at('serving')), await stepAuc(at('trained/nameless'))]
  assert.ok(decision === 'rejected' || is >= was - 0.02, `${reason} ${was} -> ${is}`)
})
