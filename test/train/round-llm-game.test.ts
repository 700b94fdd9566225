// A language model as the sneaky generator, behind a real server: what it is asked, what counts as wrong, what it wins by.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { readLocated } from '../../src/llm/locate.ts'
import { createOpenAiLlm } from '../../src/llm/openai.ts'
import { readSpoiled } from '../../src/llm/spoil.ts'
import { emptyLeague } from '../../src/train/league/league.ts'
import { createRng } from '../../src/train/rng.ts'
import { type LlmGameOptions, playLlm } from '../../src/train/round/llm-game.ts'
import {
  generatorOf,
  growLlmLeague,
  type LlmLeague,
  type LlmOpponent,
  llmOpponents,
} from '../../src/train/round/llm-generators.ts'
import { duelComparison, type Judge } from '../../src/train/round/play.ts'
import { showWrong } from '../../src/train/round/rollouts.ts'
import { ERROR_NAMES } from '../../src/train/sneaky/error-types.ts'
import { actionChances, uniformPolicy } from '../../src/train/sneaky/softmax-policy.ts'
import { type LlmServer, type LlmServerOptions, startLlmServer } from '../fakes/llm-server.ts'

const servers: LlmServer[] = []
after(async () => {
  for (const server of servers) await server.close()
})
async function open(options: LlmServerOptions) {
  const server = await startLlmServer(options)
  servers.push(server)
  const llm = createOpenAiLlm({
    name: 'fake',
    baseUrl: server.url,
    model: 'fake',
    continuation: 'prompted',
    retry: { maxRetries: 0 },
  })
  return { server, llm }
}

const said = (content: string) => ({
  body: JSON.stringify({ choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }] }),
})
const { signal } = new AbortController()

/** Four numbers to add up: the fake solver continues any right prefix to the right answer. */
const PROBLEM = 'Add 10 and 20 and 30 and 40.'
const STEPS = [
  'We start with 10.',
  'Then 10 + 20 = 30.',
  'Then 30 + 30 = 60.',
  'Then 60 + 40 = 100.',
  'The answer is 100.',
]
/** Lets a frozen generator play in every handful. */
const alwaysFrozen = { ...createRng(1), uniform: () => 0 }
const trusting: Judge = {
  judge: async items =>
    items.map(({ steps }) => ({ steps: steps.map(() => ({ score: 0.9, evidence: [] })), tokens: 0 })),
}

/** Answers requests for a wrong step with what `spoil` makes of the message, all others as the solver does. */
const spoiling = (spoil: (message: string) => string): LlmServerOptions => ({
  script: request => {
    const [system, user] = request.body!.messages
    return system!.content.startsWith('You set traps') ? said(spoil(user!.content)) : 'ok'
  },
})

const game = (llm: LlmGameOptions['llm'], change: Partial<LlmGameOptions> = {}) =>
  playLlm({
    llm,
    critic: trusting,
    threshold: 0.5,
    sources: [[{ problem: PROBLEM, steps: STEPS }]],
    rng: createRng(1),
    attempts: 12,
    signal,
    isOver: () => false,
    ...change,
  })

test('a step whose equation fails is shown to be wrong without a rollout and becomes a comparison', async () => {
  const { server, llm } = await open(spoiling(() => 'I change the sum. Wrong step: Then 30 + 30 = 70.'))
  const { duels, figures } = await game(llm)
  assert.ok(duels.length > 4)
  assert.equal(server.requests.length, 12)
  assert.ok(duels.every(d => d.fooled && d.spoiled.steps.at(-1) === 'Then 30 + 30 = 70.'))
  assert.deepEqual([figures['validity'], figures['sneaky_success']], [1, 1])
  assert.deepEqual(figures['proofs'], { equation: 12 })
  const { better, worse, from } = duelComparison(duels[0]!)
  assert.equal(better.steps.length, worse.steps.length)
  assert.equal(from, worse.steps.length - 1)
  assert.deepEqual([better.labels.at(-1), worse.labels.at(-1)], [1, 0])
  const [, user] = server.requests[0]!.body!.messages
  for (const part of [PROBLEM, 'Right next step:', 'Kind of mistake:'])
    assert.ok(user!.content.includes(part))
})

test('a step that is not shown to be wrong wins nothing, however the critic is fooled', async () => {
  const { llm } = await open(spoiling(() => 'Wrong step: So the answer is 100.'))
  const { duels, figures, policy } = await game(llm, { attempts: 4 })
  assert.deepEqual([duels.length, figures['validity'], figures['unproven']], [0, 0, 4])
  assert.ok(policy.baselines.some(b => b < 0) && policy.baselines.every(b => b <= 0))
})

test('copies of the right step and replies without one are counted, and an LLM that always fails ends the game', async () => {
  const copied = await open(
    spoiling(message => `Wrong step: ${/Right next step:\n\n(.*)/.exec(message)![1]!.replace(' ', '  ')}`),
  )
  assert.equal((await game(copied.llm, { attempts: 4 })).figures['unchanged'], 4)
  const mute = await open(spoiling(() => 'I would rather not.'))
  assert.equal((await game(mute.llm, { attempts: 4 })).figures['unreadable'], 4)
  const broken = await open({ script: 'refuses' })
  const { figures, duels } = await game(broken.llm, { attempts: 100 })
  assert.deepEqual([figures['attempts'], figures['failed'], duels.length], [8, 8, 0])
})

test('the generator comes to prefer the kind of mistake that fools the critic', async () => {
  const { llm } = await open(
    spoiling(message =>
      message.includes('a slip in a calculation') ? 'Wrong step: So 1 + 1 = 3.' : 'Wrong step: So 1 + 1 = 4.',
    ),
  )
  const sharp: Judge = {
    judge: async items =>
      items.map(({ steps }) => ({
        steps: steps.map(step => ({ score: step.includes('= 4') ? 0.1 : 0.9, evidence: [] })),
        tokens: 0,
      })),
  }
  const { policy } = await game(llm, { critic: sharp, attempts: 120 })
  const chances = actionChances(ERROR_NAMES, policy)
  assert.equal(Math.max(...chances), chances[ERROR_NAMES.indexOf('calculation')])
})

test('a frozen generator is met as it was, wins on its own account, and teaches the one that learns nothing', async () => {
  const { server, llm } = await open(spoiling(() => 'Wrong step: So 1 + 1 = 3.'))
  const old: LlmOpponent = {
    name: 'LLM generator of v1',
    generator: {
      instruction: 'You set traps as you did in round one.',
      kinds: [{ name: 'old', words: 'an old trick', weight: 0 }],
    },
    success: 0.5,
  }
  const { duels, met, own, policy, figures } = await game(llm, { opponents: [old], attempts: 40 })
  const theirs = server.requests.filter(
    ({ body }) => body!.messages[0]!.content === old.generator.instruction,
  )
  assert.ok(theirs.length >= 4 && theirs.length < server.requests.length, `${theirs.length}`)
  assert.ok(theirs.every(({ body }) => body!.messages[1]!.content.includes('Kind of mistake: an old trick')))
  assert.deepEqual(met, { 'LLM generator of v1': { games: theirs.length, won: theirs.length } })
  assert.deepEqual(own.games + theirs.length, duels.length)
  assert.deepEqual(figures['met'], met)
  assert.ok(
    policy.baselines.some(b => b > 0),
    'its own wins teach it',
  )
  const onlyOld = await game(llm, { opponents: [old], attempts: 4, rng: alwaysFrozen })
  assert.deepEqual(onlyOld.policy, uniformPolicy(ERROR_NAMES.length))
  assert.equal(duels.filter(({ spoiled }) => spoiled.operator === 'old').length, theirs.length)
})

test('a round’s generator is frozen with its prompt and preferences, and pay-offs add up by critic', () => {
  const generator = generatorOf({ weights: ERROR_NAMES.map((_, i) => i), baselines: [] })
  assert.deepEqual(
    generator.kinds.map(({ name, weight }) => [name, weight]),
    ERROR_NAMES.map((name, i) => [name, i]),
  )
  const grow = (league: LlmLeague, serving: string, version: string, met = {}) =>
    growLlmLeague(league, serving, met, { name: version, generator, games: { games: 10, won: 4 } })
  const one = grow(emptyLeague(), 'c0', 'v1')
  const two = grow(one, 'c1', 'v2', { v1: { games: 8, won: 0 } })
  assert.deepEqual(two.table, {
    c0: { v1: { games: 10, won: 4 } },
    c1: { v1: { games: 8, won: 0 }, v2: { games: 10, won: 4 } },
  })
  assert.deepEqual(
    llmOpponents(two, 'c1').map(({ name, success }) => [name, success]),
    [
      ['v1', 0.1],
      ['v2', 5 / 12],
    ],
  )
  assert.deepEqual(JSON.parse(JSON.stringify(two)), two)
})

test('rollouts show a step to be wrong when the right answer is reached without it and not with it', async () => {
  // A solver that goes on from the last number it reads.
  const { llm } = await open({
    script: request => {
      const last = request.body!.messages.at(-1)!.content
      const numbers = last.slice(0, last.lastIndexOf('Write only')).match(/\d+/g)!
      return said(`The answer is ${Number(numbers.at(-1)) + 70}.`)
    },
  })
  const alter = (wrong: string, answer: string | null = '100') =>
    showWrong(
      llm,
      { problem: PROBLEM, previous: STEPS.slice(0, 1), right: 'That makes 30.', wrong, answer },
      { n: 4, seed: 1, signal },
    )
  assert.equal(await alter('That makes 50.'), 'rollouts')
  assert.equal(await alter('That now makes 30.'), null)
  assert.equal(await alter('That makes 50.', null), null)
  assert.equal(await alter('That is 10 + 20 = 50.'), 'equation')
})

test('replies are read as written, whatever they hold', () => {
  const cases: [string, string | null][] = [
    ['I swap them.\n\nWrong step: 2 + 2 = 5.', '2 + 2 = 5.'],
    ['**Wrong step:** "He has 4."', 'He has 4.'],
    ['Wrong step:\n```\na\n\nb\n```', 'a\nb'],
    ['The wrong step: first\nWrong step: second', 'second'],
    ['nothing', null],
    ['Wrong step:  ', null],
  ]
  for (const [reply, want] of cases) assert.equal(readSpoiled(reply), want, reply)
  const located: [string, number | null][] = [
    ['First wrong step: 2', 1],
    ['First wrong step: none.', -1],
    ['**First wrong step:** step 3', 2],
    ['First wrong step: 9', null],
    ['First wrong step: 0', null],
    ['All good', null],
  ]
  for (const [reply, want] of located) assert.equal(readLocated(reply, 3), want, reply)
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (reply, steps) => {
      const found = readLocated(`First wrong step: ${reply}`, steps)
      assert.ok(found === null || (found >= -1 && found < steps))
      assert.notEqual(readSpoiled(`Wrong step: ${reply}`), '')
    }),
  )
})
