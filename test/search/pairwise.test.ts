// Pairwise ranking: who is compared with whom, what a verdict counts, and who wins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProposeRequest } from '../../src/search/types.ts'
import { createWalkWorld, PROBLEM, search, truth, type WalkOptions } from './world.ts'

const nameOf = (solution: string) => solution.match(/^Sample (\w+)/)![1]!

/**
 * Samples are named a, b, c… and answer answers[i]; the judge says what `judge` says of two names. Step scores are `scores`, else all
 * the same.
 */
function contest(
  answers: readonly (string | null)[],
  judge: (first: string, second: string) => string,
  { scores, ...more }: WalkOptions & { scores?: readonly number[] } = {},
) {
  let samples = 0
  const world = createWalkWorld({
    text: ({ aim }) => {
      if (aim?.kind === 'compare') return { text: judge(nameOf(aim.first), nameOf(aim.second)), ended: true }
      const i = samples++
      const name = 'abcdefgh'[i]!
      return {
        text: answers[i] === null ? `Sample ${name}` : `Sample ${name}. The answer is ${answers[i]}.`,
        ended: true,
      }
    },
    score: step => scores?.['abcdefgh'.indexOf(nameOf(step))] ?? 0.5,
    ...more,
  })
  const duels = () =>
    world.requests.flatMap(({ aim }) =>
      aim?.kind !== 'compare' ? [] : [nameOf(aim.first) + nameOf(aim.second)],
    )
  const run = (budget = {}) =>
    search(world, { method: 'pairwise', params: { n: answers.length, concurrency: 1 }, budget })
  return { world, duels, run }
}

const votesOf = ({ candidates }: { candidates: readonly { readonly votes?: number }[] }) =>
  candidates.map(({ votes }) => votes)

test('pairwise: the highest win rate wins, against score and majority', async () => {
  // b loses to c alone; a and d agree.
  const better = ['c', 'b', 'a', 'd']
  const { run } = contest(
    ['1', '2', '3', '1'],
    (first, second) => (better.indexOf(first) < better.indexOf(second) ? 'first' : 'second'),
    { scores: [0.9, 0.5, 0.1, 0.9] },
  )
  const { result } = await run()
  assert.equal(result.answer, '3')
  assert.deepEqual(votesOf(result), [0.5 / 3, 2 / 3, 1, 0.5 / 3])
  assert.equal(result.finish_reason, 'complete')
})

test('pairwise: each pair whose answers differ is compared in both orders, neighbours first', async () => {
  const { duels, run } = contest(['1', '2', '1.0', '3'], () => 'hm')
  await run()
  assert.deepEqual(duels(), ['ab', 'ba', 'bc', 'cb', 'cd', 'dc', 'bd', 'db', 'ad', 'da'])
})

test('pairwise: a judge that likes a position decides nothing; the score does', async () => {
  for (const liked of ['first', 'second']) {
    const { run } = contest(['1', '2', '3'], () => liked, { scores: [0.3, 0.8, 0.5] })
    const { result } = await run()
    assert.equal(result.answer, '2')
    assert.deepEqual(votesOf(result), [0.5, 0.5, 0.5])
  }
})

test('pairwise: one order without a verdict leaves a win and a half', async () => {
  const { run } = contest(['1', '2'], first => (first === 'a' ? 'neither' : 'first'))
  const { result } = await run()
  assert.deepEqual(votesOf(result), [0.25, 0.75])
})

test('pairwise: a solution without an answer is not compared and never wins', async () => {
  const { duels, run } = contest([null, '1', null, '2'], first => (first === 'd' ? 'first' : 'second'), {
    scores: [0.99, 0.9, 0.99, 0.1],
  })
  const { result } = await run()
  assert.deepEqual(duels(), ['bd', 'db'])
  assert.equal(result.answer, '2')
  assert.deepEqual(votesOf(result), [0, 0, 0, 1])
})

test('pairwise: where all agree nothing is compared', async () => {
  const { duels, run } = contest(['1', '01', '1.0'], () => 'first', { scores: [0.1, 0.7, 0.2] })
  const { result } = await run()
  assert.deepEqual(duels(), [])
  assert.equal(result.answer, '01')
})

test('pairwise: comparisons are greedy, from scratch, and no longer than a solution', async () => {
  const { world, run } = contest(['1', '2'], () => 'first')
  await run()
  const judged = world.requests.slice(2).map(({ aim, problem, steps, until, temperature, maxTokens }) => ({
    kind: aim?.kind,
    problem,
    steps,
    until,
    temperature,
    maxTokens,
  }))
  const want = { kind: 'compare', problem: PROBLEM, steps: [], until: 'end', temperature: 0, maxTokens: 512 }
  assert.deepEqual(judged, [want, want])
})

test('pairwise: a budget that runs out counts what was compared', async () => {
  const { duels, run } = contest(['1', '2', '3'], first => (first === 'b' ? 'first' : 'second'))
  const { result } = await run({ maxCalls: 5 })
  assert.deepEqual(duels(), ['ab', 'ba'])
  assert.deepEqual(votesOf(result), [0.25, 0.75, 0.5])
  assert.deepEqual([result.answer, result.finish_reason, result.usage.llm.calls], ['2', 'budget', 5])
})

test('pairwise: a comparison that fails is no verdict', async () => {
  const fails = ({ aim }: ProposeRequest) =>
    aim?.kind === 'compare' && nameOf(aim.first) === 'a' ? new Error('down') : null
  const { run } = contest(['1', '2'], () => 'second', { fails })
  const { result } = await run()
  assert.deepEqual(votesOf(result), [0.75, 0.25])
  assert.equal(result.failed, 1)
})

test('pairwise: a good judge makes the most of a critic that knows nothing', async () => {
  const right = async (method: 'pairwise' | 'best_of_n') => {
    let count = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate: 0.4, score: () => 0.5 })
      const { result } = await search(world, { method, seed })
      if (result.answer === truth(PROBLEM)) count += 1
    }
    return count
  }
  const [judged, blind] = [await right('pairwise'), await right('best_of_n')]
  assert.ok(judged > blind, `${judged} against ${blind}`)
})
