// The traffic lab against a service that learns at once: what is given, what is measured, whose figures they are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from '../../src/train/eval/pool-data.ts'
import { bestAggregation, orderedShares } from '../../src/train/lab/order.ts'
import { runTrafficLab, splitFolds, type TrafficLabOptions } from '../../src/train/lab/traffic.ts'
import { trafficReport } from '../../src/train/lab/traffic-report.ts'
import { type PupilService, startPupil, WRONG } from '../fakes/lab-service.ts'

/** Two of three candidates say 1, and that is right. */
const POOLS: Pool[] = Array.from({ length: 20 }, (_, i) => ({
  problem: `Problem ${i}`,
  candidates: [
    { steps: [`${i}a`, 'It is 1.'], key: '1', correct: true, published: {} },
    { steps: [`${i}b`, 'It is 1.'], key: '1', correct: true, published: {} },
    { steps: [`${i}c`, `It is 2, ${WRONG}.`], key: '2', correct: false, published: {} },
  ],
}))

async function run(
  decision: Parameters<typeof startPupil>[0] = 'promoted',
  change: Partial<TrafficLabOptions> = {},
) {
  const services: PupilService[] = []
  const options: TrafficLabOptions = {
    pools: POOLS,
    sizes: [4, 10],
    folds: 5,
    minutes: 1,
    seed: 1,
    yardsticks: [],
    async start() {
      const service = await startPupil(decision)
      services.push(service)
      return service
    },
    now: () => performance.now(),
    say: () => {},
    ...change,
  }
  const result = await runTrafficLab(options).catch((error: Error) => error)
  assert.ok(services.every(service => service.stopped()))
  return { services, result, folds: result instanceof Error ? assert.fail(result) : result }
}

test('figures are of problems that were not given, before and after, with and without feedback', async () => {
  const { services, folds } = await run()
  const { json } = trafficReport(folds, 1)
  const { seconds, ...figures } = json
  assert.deepEqual(figures, {
    lab: 'traffic',
    with_feedback: { 4: 100, 10: 100 },
    without: 0,
    before: 50,
    critic: 'before',
    served: { with_feedback: { 4: 100, 10: 100 }, without: 0 },
    forgetting: {},
  })
  assert.ok((seconds as number) > 0)
  // For each of five folds the critic before, then 4 and 10 problems with feedback and 10 without.
  const counts = services.map(({ logged, told }) => [logged.size, told.size])
  assert.deepEqual(
    counts,
    Array.from({ length: 5 }, () => [
      [0, 0],
      [12, 12],
      [30, 30],
      [30, 0],
    ]).flat(),
  )
  for (const { logged, told } of services)
    for (const [id, right] of told) assert.equal(right, !logged.get(id)!.steps.join().includes(WRONG))
})

test('each problem is measured in one fold, where no round was given it', async () => {
  const tests = splitFolds(POOLS, 1).map(({ test }) => test.map(({ problem }) => problem))
  assert.deepEqual(tests.flat().toSorted(), POOLS.map(({ problem }) => problem).toSorted())
  const { services } = await run()
  services.forEach(({ logged, measured }, i) => {
    const held = tests[Math.floor(i / 4)]!
    assert.ok(held.every(problem => measured.has(problem)))
    for (const { problem } of logged.values()) assert.ok(!held.includes(problem))
  })
})

test('a problem without pairs is given but not measured', async () => {
  const sure = POOLS.slice(0, 10).map(({ problem, candidates }) => ({
    problem,
    candidates: candidates.filter(({ correct }) => correct),
  }))
  const { services, folds } = await run('promoted', {
    pools: [...sure, ...POOLS.slice(10)],
    sizes: [16],
    folds: 1,
  })
  const problems = new Set(sure.map(({ problem }) => problem))
  assert.ok(services.every(({ measured }) => ![...measured].some(problem => problems.has(problem))))
  assert.ok([...services[1]!.logged.values()].some(({ problem }) => problems.has(problem)))
  const mixed = splitFolds(POOLS, 1)[0]!.test.filter(({ problem }) => !problems.has(problem))
  assert.equal(folds[0]!.before.shares.mean.length, mixed.length)
})

test('a candidate that the gate refused is measured all the same, and what serves beside it', async () => {
  const { json, sections } = trafficReport((await run('rejected')).folds, 1)
  assert.deepEqual(json['with_feedback'], { 4: 100, 10: 100 })
  assert.deepEqual(json['served'], { with_feedback: { 4: 50, 10: 50 }, without: 50 })
  assert.deepEqual(
    sections[0]!.rows.map(row => row.at(-1)),
    ['–', '0 of 5', '0 of 5', '0 of 5'],
  )
  assert.ok(sections.at(-1)!.rows.every(row => row.at(-1) === 'rejected: So it was.'))
})

test('of each round the table tells what its outcome path made of the outcomes it was given', async () => {
  const { folds } = await run('promoted', { folds: 1 })
  const { columns, rows } = trafficReport(folds, 1).sections.at(-1)!
  const at = columns.indexOf('loss, outcomes')
  assert.deepEqual(
    rows.map(row => row[at]),
    ['0.500 → 0.250', '0.500 → 0.250', '–'],
  )
})

test('forgetting is the largest fall of step AUC in points', async () => {
  const example = (step: string, label: number) =>
    ({ problem: 'Old', steps: [step], labels: [label], source: 'human', imitate: false }) as const
  const examples = [example('It is 1.', 1), example(`It is 2, ${WRONG}.`, 0)]
  const { folds } = await run('promoted', { yardsticks: [{ name: 'prm800k', examples }], folds: 1 })
  assert.deepEqual(folds[0]!.before.memory, { prm800k: 50 })
  assert.deepEqual(trafficReport(folds, 1).json['forgetting'], { prm800k: 50 }) // 0 after the round without feedback
})

for (const [name, change, want] of [
  ['too few problems', { sizes: [17] }, /--sizes has 17, but a fold leaves 16 problems/],
  ['a problem that is there twice', { pools: [...POOLS, POOLS[0]!] }, /has a problem twice/],
] as const)
  test(`${name} cannot be parted into given and measured`, async () => {
    await assert.rejects(run('promoted', change), want)
  })

test('a round that fails ends the lab with its reason', async () => {
  await assert.rejects(run('failed'), /the round ended failed: So it was\./)
})

test('an abort ends a lab whose round goes on and on, and its service', async () => {
  const stop = new AbortController()
  const say = (text: string) =>
    void (text.includes('4 problems') && setTimeout(() => stop.abort(new Error('enough')), 100))
  await assert.rejects(run('running', { signal: stop.signal, say }), /^Error: enough$/)
})

test('the aggregation is the best on known problems; where none is known it is the last step’s score', async () => {
  const [pool] = POOLS
  // The last step tells right from wrong, the first says the opposite.
  const judgeOf = (wrong: readonly number[], right: readonly number[]) => ({
    name: 'toy',
    threshold: null,
    isProbability: true,
    judge: async (items: readonly { steps: readonly string[] }[]) =>
      items.map(({ steps }) => (steps[1]!.includes(WRONG) ? wrong : right)),
  })
  const late = await orderedShares(judgeOf([1, 0.5], [0.1, 0.6]), [pool!])
  assert.deepEqual(late, { last: [1], min: [0], prod: [0], mean: [0] })
  assert.equal(bestAggregation(late), 'last')
  const early = judgeOf([0.1, 0.6], [1, 0.5])
  assert.equal(bestAggregation(await orderedShares(early, [pool!])), 'min')
  assert.equal(bestAggregation(await orderedShares(early, [])), 'last')
})
