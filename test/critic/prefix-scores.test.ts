// Scores with the prefix cache are those without it: over random trees of steps, mixed batches, long items, tiny caps and old critics.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Job } from '../../src/critic/plan.ts'
import type { Scorer, ScorerOptions } from '../../src/critic/scorer.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import type { CritiqueItem } from '../../src/critic/types.ts'
import { writeOldCritic } from '../fakes/old-critic.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
const dir = join(folder.path, 'critic')
const open: Scorer[] = []
let plain: Scorer

async function openTiny(options: ScorerOptions): Promise<Scorer> {
  const scorer = await openScorer(dir, options)
  open.push(scorer)
  return scorer
}

before(async () => {
  await writeTinyCritic(dir)
  plain = await openTiny({})
})
after(async () => {
  for (const scorer of open) await scorer.release()
  folder.remove()
})

const WIDE = { prefixCacheBytes: 64e6 }
/** Less than one long row takes. */
const TINY = { prefixCacheBytes: 20_000 }

const PROBLEMS = [
  'Tom has 12 apples and eats 5.',
  'She sold 48 clips in April and half as many in May.',
  'How many?',
]
const STEPS = ['12 - 5 = 7.', '48 / 2 = 25 clips', 'So 73.', 'Then 5 clips in May.', 'The answer is 7.', '']
const itemOf = fc.record({
  problem: fc.constantFrom(...PROBLEMS),
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 12 }),
})

interface Counts {
  runs: number
  ran: number
  cached: number
}

/** Logits of the items, scored together, and what ran for it. */
async function score(by: Scorer, items: readonly CritiqueItem[], maxTokens = 4096) {
  const prepared = items.map(by.prepare)
  const counts: Counts = { runs: 0, ran: 0, cached: 0 }
  for (const rows of by.plan(
    prepared.flatMap(({ jobs }): readonly Job[] => jobs),
    maxTokens,
  )) {
    await by.run(rows)
    counts.runs++
    for (const row of rows) {
      counts.ran += row.length
      counts.cached += row.past
    }
  }
  return { logits: prepared.map(({ logits }) => [...logits]), counts }
}

function assertSame(got: readonly (number | null)[][], want: readonly (number | null)[][]): void {
  assert.deepEqual(
    got.map(steps => steps.length),
    want.map(steps => steps.length),
  )
  got.forEach((steps, i) => {
    steps.forEach((logit, k) => {
      assert.ok(Math.abs(logit! - want[i]![k]!) <= 1e-5, `item ${i} step ${k}: ${logit} for ${want[i]![k]}`)
    })
  })
}

for (const [name, options] of [
  ['a wide cache', WIDE],
  ['a cache that forgets all the time', TINY],
] as const) {
  test(`with ${name}, batches of items that share beginnings score as without one, hits and misses mixed`, async () => {
    const batches = fc.array(fc.array(itemOf, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
    const cached = await openTiny(options) // one for all trees: what it knows grows
    let hits = 0
    await fc.assert(
      fc.asyncProperty(batches, fc.constantFrom(1, 150, 4096), async (given, maxTokens) => {
        for (const items of given) {
          const { logits, counts } = await score(cached, items, maxTokens)
          assertSame(logits, (await score(plain, items, maxTokens)).logits)
          assert.ok(cached.cacheBytes() <= options.prefixCacheBytes)
          hits += counts.cached
        }
      }),
      { numRuns: 25 },
    )
    assert.ok(hits > 0)
  })
}

test('a step behind a known path runs its own tokens alone, and a known path none', async () => {
  const cached = await openTiny(WIDE)
  const [problem, steps] = [PROBLEMS[0]!, STEPS.slice(0, 4)]
  const sizes: number[] = []
  for (let n = 1; n <= 4; n++) {
    const item = { problem, steps: steps.slice(0, n) }
    const { logits, counts } = await score(cached, [item])
    assertSame(logits, await plain.logits([item]))
    const whole = (await plain.judge([item]))[0]!.tokens
    assert.equal(counts.ran + counts.cached, whole, 'a critique is paid whole')
    if (n > 1) assert.equal(counts.cached, sizes.at(-1))
    sizes.push(whole)
  }
  assert.deepEqual((await score(cached, [{ problem, steps }])).counts, {
    runs: 1,
    ran: 0,
    cached: sizes.at(-1),
  })
})

test('of rows in one batch that begin alike, one computes the beginning and the others wait for it', async () => {
  const cached = await openTiny(WIDE)
  const problem = `${PROBLEMS[1]} ${PROBLEMS[0]}` // long enough to be worth waiting for
  const items = STEPS.slice(0, 5).map(step => ({ problem, steps: [step] }))
  const twice = [...items, ...items]
  const { logits, counts } = await score(cached, twice)
  assertSame(logits, await plain.logits(twice))
  const tokens = async (item: CritiqueItem) => (await plain.judge([item]))[0]!.tokens
  const own = (await Promise.all(items.map(tokens))).reduce((a, b) => a + b)
  const shared = counts.cached / 9 // nine rows found at least the problem
  assert.ok(counts.ran < own - 4 * 32, `${counts.ran} of ${own} ran, ${shared} known on average`)
  assert.ok(counts.runs <= 4)
})

test('rows wait only once for a beginning that is forgotten at once', async () => {
  const cached = await openTiny({ prefixCacheBytes: 1 })
  const items = Array.from({ length: 8 }, (_, i) => ({
    problem: `${PROBLEMS[1]} ${PROBLEMS[0]}`,
    steps: [`${i}`],
  }))
  const { logits, counts } = await score(cached, items)
  assertSame(logits, await plain.logits(items))
  assert.deepEqual([counts.runs, counts.cached, cached.cacheBytes()], [2, 0, 0])
})

test('an item of many windows is scored the same, and again from what is known', async () => {
  const cached = await openTiny(WIDE)
  const item = {
    problem: 'A long one',
    steps: Array.from({ length: 40 }, (_, i) => `Then ${i} + ${i} = ${2 * i} clips in May.`),
  }
  const want = await plain.logits([item])
  assertSame(await cached.logits([item]), want)
  const again = await score(cached, [item])
  assertSame(again.logits, want)
  assert.equal(again.counts.ran, 0)
})

test('steps whose tokens were cut alike are told apart by what was counted in their text', async () => {
  const cached = await openTiny(WIDE)
  // Longer than the window: of both, the same first and last tokens are left.
  const long = (middle: string) => ({
    problem: 'Cut',
    steps: [`${'word '.repeat(120)}${middle}${'word '.repeat(120)}`],
  })
  const items = [long('12 = 13 '), long('Is it so? ')]
  const [a, b] = [await plain.logits([items[0]!]), await plain.logits([items[1]!])]
  assert.notEqual(a[0]![0], b[0]![0], 'the features differ')
  for (const [i, want] of [a, b].entries()) assertSame(await cached.logits([items[i]!]), want)
})

test('a critic whose graph takes no past is served without a cache, with the same scores', async () => {
  const old = join(folder.path, 'old')
  await writeOldCritic(old)
  const scorer = await openScorer(old, WIDE)
  const item = { problem: PROBLEMS[0]!, steps: STEPS.slice(0, 3) }
  for (let i = 0; i < 2; i++) {
    const { logits, counts } = await score(scorer, [item])
    assertSame(logits, await plain.logits([item]))
    assert.equal(counts.cached, 0)
  }
  assert.equal(scorer.cacheBytes(), 0)
  await scorer.release()
})
