// A critic that runs elsewhere teaches: its scores become labels, and outcomes where nobody told any.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createVllmCritic } from '../../src/remote/vllm.ts'
import type { Example } from '../../src/train/data/example.ts'
import { createRng } from '../../src/train/rng.ts'
import { gatherLabels } from '../../src/train/round/labels.ts'
import { prepareLessons } from '../../src/train/round/lessons.ts'
import type { Evidence, TrafficProblem } from '../../src/train/round/outcomes.ts'
import { rankings } from '../../src/train/round/teacher.ts'
import { criticTeacher } from '../../src/train/round/teachers.ts'
import { type LlmServer, startLlmServer } from '../fakes/llm-server.ts'
import { tinyTokenizer } from '../fakes/tiny-critic.ts'
import { type VllmFake, vllmScript } from '../fakes/vllm.ts'

const servers: LlmServer[] = []
after(async () => {
  for (const server of servers) await server.close()
})

/** A reward model that gives 0.9375 for a sum that holds and 0.0625 for one that does not. */
async function rewardModel(threshold = 0.5, fake: VllmFake = {}) {
  const server = await startLlmServer({ script: vllmScript(fake) })
  servers.push(server)
  const critic = createVllmCritic({
    name: 'qwen',
    threshold,
    deadlineMs: 5000,
    concurrency: 2,
    baseUrl: server.url.replace(/\/v1$/, ''),
    model: 'm',
    apiKey: undefined,
    values: 'auto',
    batch: 16,
    form: { separator: '<extra_0>', system: 'S' },
    retry: { maxRetries: 0 },
  })
  return criticTeacher(critic, 16)
}

/** Solutions of two steps, of which the second holds or not, with what is known of their outcomes. */
const problem = (text: string, ...solutions: [holds: boolean, outcome: [boolean, Evidence] | null][]) =>
  ({
    problem: text,
    solutions: solutions.map(([holds, outcome], i) => ({
      problem: text,
      steps: [`${i} + 1 = ${i + 1}`, `Therefore, ${i + 1} + 1 = ${i + (holds ? 2 : 3)}`],
      answer: null,
      outcome: outcome && { right: outcome[0], by: outcome[1] },
      stepLabels: null,
    })),
  }) satisfies TrafficProblem

const SILENT = problem('Nobody said anything?', [true, null], [false, null])
const VOTED = problem('Most are wrong?', [true, [false, 'agreement']], [false, [true, 'agreement']])
const TOLD = problem('Told?', [true, [true, 'feedback']], [false, [false, 'feedback']], [false, null])

const gather = async (open: readonly TrafficProblem[], teacher: ReturnType<typeof criticTeacher>) => {
  const train = open.filter(({ solutions }) => solutions.some(({ outcome }) => outcome !== null))
  const options = { rng: createRng(1), budgetMs: 60_000, now: () => performance.now(), teacher }
  return { train, labels: await gatherLabels({ train, open, heldBack: [] }, options) }
}

test('a reward model’s scores are labels, half at its threshold, and solutions that nobody said anything of are scored too', async () => {
  const teacher = await rewardModel(0.5)
  const { labels } = await gather([SILENT], teacher)
  assert.deepEqual(
    labels.teacher.map(({ labels }) => labels.map(label => label?.toFixed(4))),
    [
      ['0.9375', '0.9375'],
      ['0.9375', '0.0625'],
    ],
  )
  const strict = await rewardModel(0.9375)
  const held = await gather([SILENT], strict)
  assert.deepEqual(
    held.labels.teacher.map(({ labels }) => labels.map(label => label?.toFixed(2))),
    [
      ['0.50', '0.50'],
      ['0.50', '0.01'],
    ],
  )
})

test('it orders solutions where nobody told their outcomes, in place of votes and never against feedback', async () => {
  const teacher = await rewardModel()
  const { train, labels } = await gather([TOLD, VOTED, SILENT], teacher)
  const [voted, silent] = labels.rankings.toSorted((a, b) => a.problem.localeCompare(b.problem))
  assert.deepEqual(
    [voted, silent].map(ranking => [ranking!.problem, ranking!.better.length, ranking!.worse.length]),
    [
      ['Most are wrong?', 1, 1],
      ['Nobody said anything?', 1, 1],
    ],
  )
  const sources = { train, replay: [] }
  const { outcomes } = prepareLessons(tinyTokenizer, 512, sources, [], createRng(1), { labels })
  assert.deepEqual(outcomes.counts, { given: 1, taught: 2, voted: 0, replayed: 0 })
  const weights = outcomes.groups.map(({ weight }) => weight)
  assert.deepEqual(weights, [1, labels.weights.teacher, labels.weights.teacher])
  const rises = ({ steps }: Example) => Number(steps[1]!.at(-1)) - Number(steps[0]!.at(-1))
  for (const { right, wrong } of outcomes.groups) {
    assert.deepEqual(new Set(right.map(rises)), new Set([1]))
    assert.deepEqual(new Set(wrong.map(rises)), new Set([2]))
  }
})

test('of many solutions the best and the worst quarter are ordered, and those that differ where most are alike', () => {
  const ordered = (...labels: number[]) => {
    const solutions = labels.map((_, i) => ({ ...SILENT.solutions[0]!, steps: [`${i}`] }))
    const verdicts = labels.map((label, i) => ({ solution: solutions[i]!, labels: [label] }))
    const [found] = rankings([{ problem: 'P', solutions }], verdicts)
    return found && [found.better, found.worse].map(of => of.map(({ steps }) => steps[0]).join(''))
  }
  assert.deepEqual(ordered(0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6), ['13', '02'])
  assert.deepEqual(ordered(1, 1, 1, 0, 1, 1, 1, 1), ['0124567', '3'])
  assert.deepEqual(ordered(0, 0, 0, 1, 0, 0, 0, 0), ['3', '0124567'])
  assert.equal(ordered(1, 1, 1, 1), undefined)
  assert.equal(ordered(1), undefined)
})

test('a problem is ordered only where the teacher spoke of all its solutions', () => {
  const [first, second] = SILENT.solutions
  const verdicts = [
    { solution: first!, labels: [1, 1] },
    { solution: second!, labels: [1, 0] },
  ]
  assert.equal(rankings([SILENT], verdicts).length, 1)
  assert.equal(rankings([SILENT], verdicts.slice(0, 1)).length, 0)
})

test('a reward model that is away teaches nothing, and the votes stay', async () => {
  const teacher = await rewardModel(0.5, { act: () => 'refuses' })
  const { train, labels } = await gather([VOTED, SILENT], teacher)
  assert.deepEqual([labels.teacher, labels.rankings], [[], []])
  const { outcomes } = prepareLessons(tinyTokenizer, 512, { train, replay: [] }, [], createRng(1), { labels })
  assert.deepEqual(outcomes.counts, { given: 0, taught: 0, voted: 1, replayed: 0 })
})
