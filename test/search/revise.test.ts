// Revision: where a refused solution goes on, what is kept, and when it is accepted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWalkWorld, PROBLEM, search, truth, type WalkOptions } from './world.ts'

/** Reply number i is texts[i]: steps with their scores after `@`, parted by ` | `; one that does not end ends in `…`. */
function replies(texts: readonly string[], more: WalkOptions = {}) {
  let call = 0
  return createWalkWorld({
    text: () => {
      const text = texts[call++]!
      return { text: text.replace(/…$/, '').split(' | ').join('\n\n'), ended: !text.endsWith('…') }
    },
    score: step => Number(step.match(/@([\d.]*\d)/)?.[1] ?? 0.9),
    ...more,
  })
}

const one = { method: 'revise', params: { runs: 1 } } as const

test('revise: goes on from before the first step the critic refuses', async () => {
  const world = replies(['a | b | bad @0.2 | The answer is 1.', 'c | The answer is 2.'])
  const { result, events } = await search(world, one)
  assert.deepEqual(
    world.requests.map(({ steps, until }) => [steps, until]),
    [
      [[], 'end'],
      [['a', 'b'], 'end'],
    ],
  )
  assert.deepEqual(result.steps, ['a', 'b', 'c', 'The answer is 2.'])
  assert.equal(result.answer, '2')
  assert.equal(result.solution, 'a\n\nb\n\nc\n\nThe answer is 2.')
  const told = events.flatMap((event): (string | number)[] =>
    event.type === 'step' ? [`${event.index} ${event.text}`] : event.type === 'prune' ? [event.index] : [],
  )
  assert.deepEqual(told, ['0 a', '1 b', '2 bad @0.2', '3 The answer is 1.', 2, '2 c', '3 The answer is 2.'])
})

test('revise: the tree holds what was kept once, and what was refused beside it', async () => {
  const world = replies(['a | bad @0.2', 'b | bad @0.1 | z', 'The answer is 2.'])
  const { result } = await search(world, one)
  assert.deepEqual(
    result.tree!.map(({ parent, step, state }) => [parent, step, state]),
    [
      [-1, '', 'expanded'],
      [0, 'a', 'expanded'],
      [1, 'bad @0.2', 'rejected'],
      [1, 'b', 'expanded'],
      [3, 'bad @0.1', 'rejected'],
      [4, 'z', 'rejected'],
      [3, 'The answer is 2.', 'ended'],
    ],
  )
})

test('revise: a kept step keeps the score it was kept for, though the critic changes its mind', async () => {
  let judged = 0
  const world = replies(['a | bad', 'b | The answer is 1.'], {
    score: step => {
      judged += 1
      return step === 'bad' || (step === 'a' && judged > 2) ? 0.1 : 0.9
    },
  })
  const { result } = await search(world, one)
  assert.equal(world.requests.length, 2)
  assert.deepEqual(result.candidates[0]!.scores, [0.9, 0.9, 0.9])
})

test('revise: at a refused first step it starts over', async () => {
  const world = replies(['bad @0.2 | b', 'The answer is 1.'])
  await search(world, one)
  assert.deepEqual(world.requests[1]!.steps, [])
})

test('revise: what was cut off goes on from before its last step, though every step passes', async () => {
  const world = replies(['a | b | half a st…', 'c. The answer is 1.'])
  const { result } = await search(world, one)
  assert.deepEqual(world.requests[1]!.steps, ['a', 'b'])
  assert.equal(result.answer, '1')
})

test('revise: an empty rest that ends makes the kept steps the solution', async () => {
  const world = replies(['The answer is 7. | bad @0.1', ''])
  const { result } = await search(world, one)
  assert.deepEqual(result.steps, ['The answer is 7.'])
  assert.deepEqual([result.answer, result.candidates[0]!.ended], ['7', true])
  // The kept step was judged in its first solution and not again.
  assert.equal(world.judged.length, 1)
  assert.deepEqual(
    result.tree!.map(({ state }) => state),
    ['expanded', 'expanded', 'rejected', 'ended'],
  )
})

test('revise: an empty rest that goes on uses up a try and keeps what stands', async () => {
  const world = replies(['a | bad @0.1', '…', 'The answer is 1.'])
  const { result } = await search(world, one)
  assert.deepEqual(
    world.requests.map(({ steps }) => steps),
    [[], ['a'], ['a']],
  )
  assert.equal(result.answer, '1')
})

const LAST: [name: string, texts: string[], regenerations: number, want: string][] = [
  ['the least bad', ['The answer is 1. @0.1', 'The answer is 2. @0.3', 'The answer is 3. @0.2'], 2, '2'],
  ['an answered one before a better one without', ['The answer is 1. @0.1', 'Hm @0.4'], 1, '1'],
  ['the only one', ['The answer is 1. @0.1'], 0, '1'],
]

for (const [name, texts, regenerations, want] of LAST) {
  test(`revise: when no try passes, the best is taken: ${name}`, async () => {
    const world = replies(texts)
    const { result } = await search(world, { method: 'revise', params: { runs: 1, regenerations } })
    assert.equal(result.answer, want)
    assert.equal(world.requests.length, texts.length)
  })
}

test('revise: a critic that scores nothing ends the trying after two', async () => {
  const world = replies(['The answer is 1.', 'The answer is 2.', 'The answer is 3.'], { score: () => null })
  const { result } = await search(world, one)
  assert.equal(world.requests.length, 2)
  assert.equal(result.answer, '1')
})

test('revise: a call that fails leaves the best try', async () => {
  const world = replies(['a | The answer is 1. @0.2'], {
    fails: (_, call) => (call === 1 ? new Error('down') : null),
  })
  const { result } = await search(world, one)
  assert.deepEqual([result.answer, result.failed], ['1', 1])
  const dead = replies([], { fails: () => new Error('down') })
  await assert.rejects(search(dead, one), { message: 'down' })
})

test('revise: at temperature 0 only the first try is greedy', async () => {
  const world = replies(['a | bad @0.1', 'The answer is 1.'])
  await search(world, { method: 'revise', params: { runs: 1, temperature: 0 } })
  assert.deepEqual(
    world.requests.map(({ temperature }) => temperature),
    [0, 0.8],
  )
})

test('revise: tells what was refused last, with what the critic found in it', async () => {
  const world = replies(['a | bad @0.2 | z', 'worse @0.1 | The answer is 1.', 'The answer is 2.'], {
    finding: step => (step === 'bad @0.2' ? '1 + 1 = 3 does not hold.' : null),
  })
  await search(world, one)
  assert.deepEqual(
    world.requests.map(({ aim }) => aim),
    [
      undefined,
      { kind: 'avoid', step: 'bad @0.2', finding: '1 + 1 = 3 does not hold.' },
      { kind: 'avoid', step: 'worse @0.1', finding: null },
    ],
  )
})

test('revise: runs are told of their own steps only', async () => {
  const world = replies(['bad @0.2', 'worse @0.1', 'The answer is 1.', 'The answer is 1.'])
  await search(world, { method: 'revise', params: { runs: 2, concurrency: 1 } })
  assert.deepEqual(
    world.requests.slice(2).map(({ aim }) => aim?.kind === 'avoid' && aim.step),
    ['bad @0.2', 'worse @0.1'],
  )
})

test('revise: what is only cut off or unscored is not called wrong', async () => {
  const cut = replies(['a | half a st…', 'c. The answer is 1.'])
  await search(cut, one)
  const unscored = replies(['a | ??? | b', 'The answer is 1.'], {
    score: step => (step === '???' ? null : 0.9),
  })
  await search(unscored, one)
  for (const { requests } of [cut, unscored]) {
    assert.equal(requests.length, 2)
    assert.equal(requests[1]!.aim, undefined)
  }
})

test('revise: an LLM that starts over is told too, and one that follows no instructions is not', async () => {
  for (const canInstruct of [true, false]) {
    const world = replies(['a | bad @0.2', 'The answer is 1.'])
    await search(world, { ...one, canContinue: false, canInstruct })
    const { steps, aim } = world.requests[1]!
    assert.deepEqual(steps, [])
    assert.deepEqual(aim, canInstruct ? { kind: 'avoid', step: 'bad @0.2', finding: null } : undefined)
  }
})

test('revise: makes a poor solver right, and with fewer tokens than starting over', async () => {
  const total = async (canContinue: boolean) => {
    let right = 0
    let tokens = 0
    for (let seed = 0; seed < 20; seed++) {
      const world = createWalkWorld({ errorRate: 0.4 })
      const { result } = await search(world, { method: 'revise', seed, canContinue, params: { runs: 1 } })
      if (result.answer === truth(PROBLEM)) right += 1
      tokens += result.usage.llm.completion_tokens
    }
    return { right, tokens }
  }
  const [kept, fresh] = [await total(true), await total(false)]
  assert.ok(kept.right >= 19, `${kept.right} of 20`)
  assert.ok(kept.right > fresh.right, `${kept.right} against ${fresh.right}`)
  assert.ok(kept.tokens < fresh.tokens, `${kept.tokens} against ${fresh.tokens}`)
})
