// Where labels come from beside outcomes: trees, a teacher; how far each is trusted, and what a round leans on when nothing helps.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { createOpenAiLlm } from '../../src/llm/openai.ts'
import type { StepLabel } from '../../src/train/data/example.ts'
import { generateProblems } from '../../src/train/recipe/built-in.ts'
import { createRng } from '../../src/train/rng.ts'
import { gatherLabels, NO_LABELS } from '../../src/train/round/labels.ts'
import { prepareLessons } from '../../src/train/round/lessons.ts'
import { majorityAnswer, type TrafficProblem, type TrafficSolution } from '../../src/train/round/outcomes.ts'
import { leaning, type Phase, phaseAfter } from '../../src/train/round/phase.ts'
import { challenge } from '../../src/train/round/play.ts'
import { compareSources, PRIOR_WEIGHTS, sourceWeights } from '../../src/train/round/sources.ts'
import { teacherExamples } from '../../src/train/round/teacher.ts'
import { llmTeacher } from '../../src/train/round/teachers.ts'
import { treeExamples } from '../../src/train/round/tree-labels.ts'
import { createPolicy } from '../../src/train/sneaky/policy.ts'
import { type LlmServer, startLlmServer } from '../fakes/llm-server.ts'
import { tinyTokenizer } from '../fakes/tiny-critic.ts'
import { labelledExamples } from './round-world.ts'

const servers: LlmServer[] = []
after(async () => {
  for (const server of servers) await server.close()
})

function solution(
  steps: readonly string[],
  right: boolean | null,
  more: Partial<TrafficSolution> = {},
): TrafficSolution {
  const outcome = right === null ? null : ({ right, by: 'feedback' } as const)
  return { problem: 'P?', steps, answer: right ? '1' : '2', outcome, stepLabels: null, ...more }
}
const problem = (...solutions: TrafficSolution[]): TrafficProblem => ({ problem: 'P?', solutions })

/** A tree: half of what goes on from `a` ends right, a quarter of what goes on from `a, b`, nothing from `x`. */
const TREE = problem(
  solution(['a', 'c', '1'], true),
  solution(['a', 'c', '2'], true),
  solution(['a', 'c', '3'], true),
  solution(['a', 'b', '1'], true),
  solution(['a', 'b', '2'], false),
  solution(['a', 'b', '3'], false),
  solution(['a', 'b', '4'], false),
  solution(['a', 'd'], false),
  solution(['x', 'y', '1'], false),
  solution(['x', 'y', '2'], false),
  solution(['x', 'y', '3'], false),
)

test('a step is labelled by how many of its continuations end right, over those of the step before', () => {
  const labels = new Map<string, StepLabel>()
  for (const example of treeExamples(TREE))
    example.labels.forEach((label, i) => {
      labels.set(example.steps.slice(0, i + 1).join(), label)
    })
  assert.equal(labels.get('a'), 1)
  assert.equal(labels.get('a,c'), 1)
  assert.equal(labels.get('a,b'), 0.25 / 0.5)
  assert.equal(labels.get('x'), 0)
  assert.equal(labels.get('x,y') ?? null, null) // after what is lost nothing can be said
  assert.equal(labels.get('a,d') ?? null, null) // one continuation says nothing
})

test('each labelled beginning is told once, and unknown outcomes count for nothing', () => {
  const examples = treeExamples(TREE)
  const told = examples.map(({ steps }) => steps.join())
  assert.equal(new Set(told).size, told.length)
  const unknown = TREE.solutions.map(s => ({ ...s, outcome: null }))
  assert.deepEqual(treeExamples({ ...TREE, solutions: unknown }), [])
})

test('tree labels are in [0, 1] whatever the tree', () => {
  const steps = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(fc.tuple(steps, fc.boolean()), { maxLength: 30 }), solutions => {
      const examples = treeExamples(problem(...solutions.map(([s, right]) => solution(s, right))))
      for (const { steps, labels } of examples) {
        assert.equal(labels.length, steps.length)
        assert.notEqual(labels.at(-1), null)
        for (const label of labels) assert.ok(label === null || (label >= 0 && label <= 1))
      }
    }),
  )
})

/** Problems on which four of five votes are for 2, which feedback says is wrong (or right). */
const voted = (majorityIsRight: boolean): TrafficProblem =>
  problem(
    ...['2', '2', '2', '2', '1'].map((answer, i) =>
      solution([`${i}`], (answer === '2') === majorityIsRight, { answer }),
    ),
  )

test('a source that contradicts what is known loses its weight, one that agrees gains', () => {
  assert.equal(majorityAnswer(['2', '2', '2', '2', '1']), '2')
  const few = sourceWeights(compareSources([], []))
  assert.deepEqual(few, PRIOR_WEIGHTS)
  const bad = sourceWeights(
    compareSources(
      Array.from({ length: 20 }, () => voted(false)),
      [],
    ),
  )
  const good = sourceWeights(
    compareSources(
      Array.from({ length: 20 }, () => voted(true)),
      [],
    ),
  )
  assert.equal(bad.agreement, 0)
  assert.ok(good.agreement > PRIOR_WEIGHTS.agreement)
  assert.equal(bad.teacher, PRIOR_WEIGHTS.teacher)
  const set = sourceWeights(compareSources([voted(true)], []), { agreement: 0.1 })
  assert.equal(set.agreement, 0.1)
})

test('a source without weight is not taught, and one of less weight counts less', () => {
  const train = [
    problem(
      ...['1', '1', '1', '2'].map((answer, i) =>
        solution([`The answer is ${answer}${i}.`], null, {
          answer,
          outcome: { right: answer === '1', by: 'agreement' },
        }),
      ),
    ),
  ]
  const replay = labelledExamples('labels', 3, 'train')
  const weight = (agreement: number) =>
    prepareLessons(tinyTokenizer, 512, { train, replay }, [], createRng(1), {
      labels: { ...NO_LABELS, weights: { ...PRIOR_WEIGHTS, agreement } },
    }).outcomes.groups.find(({ right }) => right[0]!.source === 'outcome')?.weight ?? 0
  assert.equal(weight(0), 0)
  assert.ok(weight(PRIOR_WEIGHTS.agreement / 4) < weight(PRIOR_WEIGHTS.agreement))
})

test('a teacher is asked about wrong solutions first, and what an outcome contradicts is counted and not taught', async () => {
  const server = await startLlmServer({
    script: request => {
      const asked = request.body!.messages.at(-1)!.content
      const said = asked.includes('Step 1: bad') ? '1' : asked.includes('Step 1: fooled') ? '2' : 'none'
      const content = `I looked. First wrong step: ${said}`
      return { body: JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }) }
    },
  })
  servers.push(server)
  const llm = createOpenAiLlm({ name: 'teacher', baseUrl: server.url, model: 't' })
  const train = [
    problem(
      solution(['bad', 'then'], false),
      solution(['lost', 'then'], false), // the teacher finds nothing
      solution(['good', 'then'], true),
      solution(['fooled', 'then'], true), // the teacher finds an error
    ),
  ]
  const heldBack = [problem(solution(['bad', 'h'], false), solution(['good', 'h'], true))]
  const options = { rng: createRng(1), budgetMs: 60_000, now: () => performance.now() }
  const { teacher, figures } = await gatherLabels(
    { train, open: train, heldBack },
    { ...options, teacher: llmTeacher(llm) },
  )
  assert.deepEqual(teacher.map(({ steps, labels }) => [steps[0], labels]).toSorted(), [
    ['bad', [0, null]],
    ['good', [1, 1]],
  ])
  const told = figures['teacher'] as { trained_on: object; held_back: object }
  assert.deepEqual(told.trained_on, { compared: 4, disagreed: 2 })
  assert.deepEqual(told.held_back, { compared: 2, agreed: 2 })
  assert.equal(server.requests.length, 6)
  const none = await gatherLabels({ train, open: train, heldBack }, options)
  assert.deepEqual([none.teacher, none.weights.teacher], [[], PRIOR_WEIGHTS.teacher])
  assert.deepEqual(teacherExamples([]), [])
})

test('a teacher that cannot be reached costs the round its verdicts and nothing more', async () => {
  const server = await startLlmServer({ script: 'refuses' })
  servers.push(server)
  const llm = createOpenAiLlm({
    name: 'teacher',
    baseUrl: server.url,
    model: 't',
    retry: { maxRetries: 0 },
  })
  const train = [problem(solution(['bad'], false))]
  const { teacher } = await gatherLabels(
    { train, open: train, heldBack: [] },
    { rng: createRng(1), budgetMs: 60_000, now: () => performance.now(), teacher: llmTeacher(llm) },
  )
  assert.deepEqual(teacher, [])
})

test('labelled steps and game take turns once rounds bring nothing, until one is promoted', () => {
  const notes = (...decisions: ('promoted' | 'rejected')[]) =>
    decisions.map((decision, i) => ({ version: `v${i}`, decision }))
  const cases = [
    [[], 'both'],
    [['rejected'], 'both'],
    [['promoted', 'rejected', 'rejected'], 'labelled'],
    [['rejected', 'rejected', 'rejected'], 'self-play'],
    [['rejected', 'rejected', 'rejected', 'rejected'], 'labelled'],
    [['rejected', 'rejected', 'rejected', 'promoted'], 'both'],
  ] as const
  for (const [decisions, want] of cases) assert.equal(phaseAfter(notes(...decisions)), want)
  assert.equal(leaning('both', 'labelled'), 1)
  assert.ok(leaning('labelled', 'labelled') > 1 && leaning('labelled', 'self-play') < 1)
})

test('a phase shifts what steps and duels weigh, and leaves outcomes as they are', () => {
  const replay = labelledExamples('phase', 3, 'train')
  const steps = [1, 2].map(i => solution([`The answer is ${i}.`], i === 1, { stepLabels: [i === 1 ? 1 : 0] }))
  const rng = createRng('duel')
  const [duel] = generateProblems(rng, 1, 'train').flatMap(
    one => challenge(rng, createPolicy(), { problem: one, steps: one.steps }) ?? [],
  )
  const duels = [{ ...duel!, fooled: true, falseAlarm: false, ordered: 0 }]
  const lessons = (phase: Phase) =>
    prepareLessons(tinyTokenizer, 512, { train: [problem(...steps)], replay }, duels, createRng(1), { phase })
  const share = (phase: Phase, name: string) => lessons(phase).pools.find(pool => pool.name === name)!.share
  const ofBoth = (name: string, phase: Phase) => share(phase, name) / share('both', name)
  assert.ok(ofBoth('step feedback', 'labelled') > 1 && ofBoth('step feedback', 'self-play') < 1)
  assert.ok(ofBoth('sneaky, fooled', 'labelled') < 1 && ofBoth('sneaky, fooled', 'self-play') > 1)
  assert.equal(lessons('both').outcomes.groups.length, 1)
  for (const phase of ['labelled', 'self-play'] as const)
    assert.deepEqual(lessons(phase).outcomes, lessons('both').outcomes)
})
