// A search tree scored with the prefix cache and without, by two workers in turn, in the order of a beam and node by node.
// `npm run -s bench -- tree [--trees 6] [--nodes 64] [--depth 10] [--threads 1] [--critic <dir>]`
import { parseArgs } from 'node:util'
import { SHIPPED_CRITIC } from '../src/cli/options.ts'
import type { CritiqueItem } from '../src/critic/types.ts'
import { startWorkerCritic, type WorkerCritic } from '../src/critic/worker-critic.ts'
import { generateProblems } from '../src/train/recipe/built-in.ts'
import { createRng, type Rng } from '../src/train/rng.ts'
import { quantile } from './lib/load.ts'

/** Paths that a level's steps go on from, as a beam keeps them. */
const WIDTH = 2
/** Scores with and without the cache may differ by so much. */
const TOLERANCE = 1e-5

/** A tree level by level: the whole path to each of its nodes, as a search asks for them. */
type Tree = readonly (readonly CritiqueItem[])[]

/** `nodes` steps in `depth` levels; each goes on from one of the first two of the level before. */
function growTree(rng: Rng, nodes: number, depth: number): Tree {
  const [first, ...others] = generateProblems(rng.fork('problems'), 1 + nodes, 'train')
  const steps = rng.shuffle(others.flatMap(problem => problem.steps)).slice(0, nodes)
  const levels: CritiqueItem[][] = []
  for (let level = 0; level < depth; level++) {
    const kept: readonly CritiqueItem[] = levels.at(-1)?.slice(0, WIDTH) ?? [
      { problem: first!.problem, steps: [] },
    ]
    const [from, to] = [level, level + 1].map(edge => Math.floor((edge * nodes) / depth))
    levels.push(
      steps.slice(from, to).map((step, i) => {
        const { problem, steps: path } = kept[i % kept.length]!
        return { problem, steps: [...path, step] }
      }),
    )
  }
  return levels
}

interface Timed {
  readonly ms: number
  /** Of all threads of this process, in milliseconds. */
  readonly cpuMs: number
  readonly scores: readonly (number | null)[]
}

async function score(critic: WorkerCritic, calls: Tree): Promise<Timed> {
  const scores: (number | null)[] = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (const items of calls)
    for (const { steps } of await critic.judge(items)) scores.push(...steps.map(step => step.score))
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { ms, cpuMs: (user + system) / 1000, scores }
}

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trees: { type: 'string', default: '6' },
      nodes: { type: 'string', default: '64' },
      depth: { type: 'string', default: '10' },
      threads: { type: 'string', default: '1' },
      critic: { type: 'string', default: SHIPPED_CRITIC },
    },
  })
  const [trees, nodes, depth] = [Number(values.trees), Number(values.nodes), Number(values.depth)]
  const tokens = { hit: 0, miss: 0 }
  const options = { devices: ['cpu'], threads: Number(values.threads) } as const
  const cached = await startWorkerCritic(values.critic, {
    ...options,
    prefixCacheBytes: 64 * 2 ** 20,
    onRun({ tokens: read, cachedTokens }) {
      tokens.hit += cachedTokens
      tokens.miss += read
    },
  })
  const plain = await startWorkerCritic(values.critic, options)
  const rng = createRng('bench tree')
  const orders = {
    beam: { cached: [] as Timed[], plain: [] as Timed[] },
    one: { cached: [] as Timed[], plain: [] as Timed[] },
  }
  let widest = 0
  try {
    for (let i = -1; i < trees; i++) {
      // Each order has trees of its own, so that no path is known from the other; the first pair warms up.
      for (const order of ['beam', 'one'] as const) {
        const tree = growTree(rng.fork(`${order} ${i}`), nodes, depth)
        const calls = order === 'beam' ? tree : tree.flat().map(item => [item])
        const sides = i % 2 === 0 ? (['cached', 'plain'] as const) : (['plain', 'cached'] as const)
        const done = { cached: [] as Timed['scores'], plain: [] as Timed['scores'] }
        for (const side of sides) {
          const timed = await score(side === 'cached' ? cached : plain, calls)
          done[side] = timed.scores
          if (i >= 0) orders[order][side].push(timed)
        }
        for (const [k, want] of done.plain.entries())
          widest = Math.max(widest, Math.abs((done.cached[k] ?? Number.NaN) - (want ?? Number.NaN)))
      }
      process.stderr.write(`${i + 1} of ${trees} trees\n`)
    }
  } finally {
    await Promise.all([cached.close(), plain.close()])
  }
  if (!(widest <= TOLERANCE)) throw new Error(`scores with and without the cache differ by ${widest}`)
  if (tokens.hit === 0)
    throw new Error(`the graph of ${values.critic} takes no past: give it today's by spar export`)
  const gain = (order: keyof typeof orders, of: 'ms' | 'cpuMs') =>
    round(median(orders[order].plain, of) / median(orders[order].cached, of))
  return {
    bench: 'tree',
    gain: gain('beam', 'ms'),
    gain_cpu: gain('beam', 'cpuMs'),
    gain_one_by_one: gain('one', 'ms'),
    gain_cpu_one_by_one: gain('one', 'cpuMs'),
    tree_ms: {
      cached: round(median(orders.beam.cached, 'ms')),
      plain: round(median(orders.beam.plain, 'ms')),
    },
    hit_rate: round(tokens.hit / (tokens.hit + tokens.miss)),
    widest_difference: widest,
    nodes,
    depth,
    trees,
    threads: options.threads,
    node: process.version,
  }
}

const median = (all: readonly Timed[], of: 'ms' | 'cpuMs'): number =>
  quantile(
    all.map(timed => timed[of]).toSorted((a, b) => a - b),
    0.5,
  )
const round = (x: number): number => Number(x.toPrecision(4))
