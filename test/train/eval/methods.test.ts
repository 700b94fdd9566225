// Methods at equal budgets on small worlds with a known truth: figures worked out by hand, limits, pairing, failures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../../src/errors.ts'
import { METHOD_NAMES, type MethodName } from '../../../src/search/params.ts'
import { markdown } from '../../../src/train/eval/markdown.ts'
import type { Arena } from '../../../src/train/eval/method-runs.ts'
import { evalMethods, type MethodFigures, type MethodsOptions } from '../../../src/train/eval/methods.ts'
import { methodSections } from '../../../src/train/eval/methods-report.ts'
import { createWalkWorld, truth, type WalkOptions, type WalkWorld } from '../../search/world.ts'

const WALKS = ['5 +3 *2 -4', '2 *7 -3 +9', '11 -4 +6 *3', '8 *2 *2 -5', '1 +2 +3 +4']

/** An arena whose worlds, one for each search, are kept. `optionsOf` is asked for each world anew. */
function arenaOf(optionsOf: () => WalkOptions = () => ({}), more: Partial<Arena> = {}) {
  const worlds: WalkWorld[] = []
  const arena: Arena = {
    problems: WALKS.map(problem => ({ problem, answer: truth(problem) })),
    threshold: 0.5,
    canContinue: true,
    canInstruct: true,
    createWorld() {
      const world = createWalkWorld(optionsOf())
      worlds.push(world)
      return world
    },
    ...more,
  }
  return { arena, worlds }
}

const measure = (arena: Arena, options: Partial<MethodsOptions> = {}): Promise<MethodFigures> =>
  evalMethods(arena, {
    budgets: [4],
    methods: METHOD_NAMES,
    maxTokens: 64,
    seed: 1,
    parallel: 1,
    signal: new AbortController().signal,
    ...options,
  })

const rowOf = ({ rows }: MethodFigures, method: MethodName) => rows.find(row => row.method === method)!

/** Whole solutions of five words: sample k of a search states `answers[k]`, of which `wrong` gets the best score. */
const stating = (answers: readonly ((problem: string) => string)[]) => () => {
  let k = 0
  return {
    text: ({ problem }: { problem: string }) => ({
      text: `Look.\n\nThe answer is ${answers[k++ % answers.length]!(problem)}.`,
      ended: true,
    }),
    score: (step: string) => (step.includes('-99') ? 0.9 : 0.4),
  }
}
const wrong = () => '-99'

test('every method runs at every budget, and none takes more tokens than k single samples have on the mean', async () => {
  const { arena, worlds } = arenaOf()
  const figures = await measure(arena, { budgets: [2, 4] })
  assert.deepEqual(figures.left_out, [])
  assert.deepEqual(
    figures.rows.map(({ budget, method }) => `${budget} ${method}`).sort(),
    [2, 4].flatMap(k => METHOD_NAMES.map(method => `${k} ${method}`)).sort(),
  )
  assert.equal(worlds.length, WALKS.length * (1 + 2 * METHOD_NAMES.length))
  assert.equal(figures.one_sample.calls, 1)
  for (const { budget, max_tokens: limit, tokens, method } of figures.rows) {
    assert.equal(limit, Math.ceil(budget! * figures.one_sample.tokens))
    assert.ok(tokens <= limit, `${method} took ${tokens} of ${limit}`)
  }
})

test('problem p has the same seed in every row: methods that sample alike take the same samples', async () => {
  const { arena, worlds } = arenaOf()
  const methods = ['best_of_n', 'weighted_best_of_n', 'self_consistency'] as const
  await measure(arena, { methods })
  const asked = Map.groupBy(worlds, ({ requests }) => requests[0]!.problem)
  assert.equal(asked.size, WALKS.length)
  for (const ofProblem of asked.values()) {
    const [single, ...rows] = ofProblem.map(({ requests }) => requests.map(({ seed }) => seed))
    assert.equal(rows.length, methods.length)
    for (const seeds of rows) {
      assert.deepEqual(seeds, rows[0])
      assert.equal(seeds[0], single![0])
    }
  }
  const firsts = [...asked.values()].map(([world]) => world!.requests[0]!.seed)
  assert.equal(new Set(firsts).size, WALKS.length)
})

test('shares and paired differences: a wrong first sample, outvoted by right ones, that the critic likes best', async () => {
  const { arena } = arenaOf(stating([wrong, truth, truth, truth]))
  const figures = await measure(arena, { methods: ['best_of_n', 'self_consistency', 'weighted_best_of_n'] })
  const exactly = (value: number) => ({ value, low: value, high: value })
  assert.deepEqual(figures.one_sample.solved, exactly(0))
  assert.deepEqual(
    figures.rows.map(({ method }) => method),
    ['self_consistency', 'best_of_n', 'weighted_best_of_n'],
  )
  const { solved, over_one_sample, over_majority, tokens, calls } = rowOf(figures, 'self_consistency')
  assert.deepEqual([solved, over_one_sample, over_majority], [exactly(100), exactly(100), null])
  assert.deepEqual([tokens, calls], [20, 4])
  assert.deepEqual(rowOf(figures, 'best_of_n').over_majority, exactly(-100))
  assert.deepEqual(rowOf(figures, 'weighted_best_of_n').over_majority, exactly(0))
})

test('a difference is taken problem by problem, with an interval that holds it', async () => {
  const hard = WALKS[0]!
  const rightBut = (problem: string) => (problem === hard ? '-99' : truth(problem))
  const { arena } = arenaOf(stating([rightBut, truth, truth, truth]))
  const { one_sample, rows } = await measure(arena, { methods: ['self_consistency'] })
  assert.equal(one_sample.solved.value, 80)
  const { value, low, high } = rows[0]!.over_one_sample!
  assert.equal(value, 20)
  assert.ok(low === 0 && high > 20 && high <= 80, `[${low}, ${high}]`)
})

test('a search that its budget ends is counted as cut, one without an answer as unanswered', async () => {
  const { arena } = arenaOf(stating([wrong, () => 'none of the seven known ways, and so on and on']))
  const { rows } = await measure(arena, { methods: ['self_consistency'], budgets: [3], maxTokens: 6 })
  assert.deepEqual([rows[0]!.cut, rows[0]!.unanswered], [100, 0])
  const silent = arenaOf(() => ({ text: () => ({ text: 'I do not know.', ended: true }) }))
  const unsaid = await measure(silent.arena, { methods: ['best_of_n'] })
  assert.deepEqual([unsaid.one_sample.unanswered, unsaid.rows[0]!.unanswered], [100, 100])
  assert.deepEqual([unsaid.rows[0]!.cut, unsaid.rows[0]!.solved.value], [0, 0])
})

test('methods that the LLM cannot run are left out with the reason', async () => {
  const { arena } = arenaOf(undefined, { canContinue: false, canInstruct: false })
  const { rows, left_out: leftOut } = await measure(arena, { budgets: [2, 4] })
  assert.deepEqual(leftOut.map(({ method }) => method).sort(), [
    'beam',
    'dvts',
    'mcts',
    'pairwise',
    'particle',
    'plan',
  ])
  assert.ok(leftOut.every(({ method, reason }) => reason.startsWith(`${method} needs an LLM that`)))
  assert.equal(rows.length, 2 * (METHOD_NAMES.length - leftOut.length))
})

test('a search that the LLM fails counts as not solved, and its usage nowhere', async () => {
  const dead = WALKS[1]!
  const error = new AppError('LLM_ERROR', 'down')
  const { arena } = arenaOf(() => ({
    ...stating([truth])(),
    fails: ({ problem }) => (problem === dead ? error : null),
  }))
  const { one_sample, rows } = await measure(arena, { methods: ['self_consistency'] })
  for (const { solved, failed } of [one_sample, rows[0]!]) assert.deepEqual([solved.value, failed], [80, 20])
  assert.deepEqual([one_sample.tokens, rows[0]!.tokens], [5, 20])
})

test('an LLM that gives no single sample ends it all with its error; so does a critic that fails', async () => {
  const error = new AppError('LLM_UNREACHABLE', 'nobody there')
  await assert.rejects(measure(arenaOf(() => ({ fails: () => error })).arena), error)
  const critic = new AppError('CRITIC_FAILED', 'no scores')
  const { arena } = arenaOf()
  const createWorld = () => ({ ...createWalkWorld(), judge: () => Promise.reject(critic) })
  await assert.rejects(measure({ ...arena, createWorld }), critic)
})

test('a method whose every search fails has a row without usage', async () => {
  let searches = 0
  const error = new AppError('LLM_ERROR', 'down')
  const { arena } = arenaOf(() => (searches++ < WALKS.length ? {} : { fails: () => error }))
  const figures = await measure(arena, { methods: ['best_of_n'] })
  assert.deepEqual([figures.rows[0]!.failed, figures.rows[0]!.solved.value], [100, 0])
  assert.match(
    markdown(methodSections(figures)),
    /^\| best_of_n, n 4 \| 0\.0 .* \| – \| – \| – \| 0\.0 \| 0\.0 \| 100\.0 \|$/m,
  )
})

test('a bug ends it', async () => {
  const bug = new TypeError('oops')
  await assert.rejects(measure(arenaOf(() => ({ fails: () => bug })).arena), bug)
})

test('an abort ends it with the reason, whatever runs at the time', async () => {
  const reason = new Error('enough')
  const stop = new AbortController()
  const { arena, worlds } = arenaOf(() => ({ latencyMs: () => 5 }))
  const running = measure(arena, { parallel: 3, signal: stop.signal, onRow: () => stop.abort(reason) })
  await assert.rejects(running, reason)
  assert.ok(worlds.every(({ live }) => live.calls === 0))
  assert.ok(worlds.length < WALKS.length * 3)
})

test('searches at the same time give the figures of searches one after the other', async () => {
  const untimed = async (parallel: number) =>
    JSON.stringify(await measure(arenaOf().arena, { parallel }), (name, value) =>
      name === 'seconds' ? undefined : value,
    )
  assert.equal(await untimed(4), await untimed(1))
})

test('the tables have a row for each method, the widths it had, and the rule they follow', async () => {
  const { arena } = arenaOf(undefined, { canInstruct: false })
  const text = markdown(methodSections(await measure(arena, { budgets: [4, 8] })))
  assert.equal(text.match(/^## Budget of [48] samples: at most \d+ completion tokens$/gm)?.length, 2)
  assert.equal(text.match(/^\| one sample \| /gm)?.length, 2)
  assert.match(text, /^\| self_consistency \(majority vote\), n 8 \| [\d.]+ \[/m)
  assert.match(text, /^\| mcts, width 3, simulations 8 \| /m)
  assert.match(text, /Widths by one rule: n = k;/)
  assert.match(text, /Without plan: plan needs an LLM that follows instructions\./)
  assert.doesNotMatch(text, /NaN|undefined/)
})
