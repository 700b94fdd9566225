// Beam search and diverse verifier tree search: of the steps proposed in a round the best go on. They differ in who competes
// with whom (research/algorithms.md, b4 to b6). Knows no LLM that cannot continue a partial answer.
import { createBestWatch, select } from './candidate.ts'
import { extend } from './extend.ts'
import { addChildren, bestPartial, buryBarren, type Growth, logValue, outrank } from './grow.ts'
import { lookAhead } from './lookahead.ts'
import { type Method, requireContinuation } from './method.ts'
import type { MethodName, ParamValues } from './params.ts'
import { CHOICES, greatest, scoreRank } from './pick.ts'
import { createTree, pathTo, ROOT } from './tree.ts'
import type { SearchEvent } from './types.ts'

/** Beams that compete with each other, and with no others. */
interface Pool {
  readonly index: number
  /** Steps it may propose in a round. */
  readonly proposals: number
  /** Beams it may still follow: one that has ended keeps its place, so that the cost of a round only falls. */
  places: number
  /** Nodes to go on from, the best first; where nothing follows they stay as the best it came to. */
  tips: readonly number[]
  over: boolean
}

interface Leaf {
  readonly pool: Pool
  readonly node: number
  /** Logical indices of the call it came from. */
  readonly place: readonly number[]
}

/** Fewer tips than places share the proposals in turn, the better ones first: at temperature > 0 they part again. */
function asksOf({ tree, context }: Growth, pool: Pool, depth: number) {
  const { width, temperature } = context.params
  return Array.from({ length: Math.min(pool.proposals, pool.places * width) }, (_, slot) => {
    const tip = pool.tips[slot % pool.tips.length]!
    const { steps } = pathTo(tree, tip)
    return { tip, pool, place: [pool.index, depth, slot], steps, temperature }
  })
}

/** One step of every pool: its new leaves, in the order of their nodes. */
async function* propose(
  growth: Growth,
  pools: readonly Pool[],
  depth: number,
): AsyncGenerator<SearchEvent, Leaf[]> {
  const { context } = growth
  const asks = pools.flatMap(pool => asksOf(growth, pool, depth))
  const extensions = await extend(context, asks)
  const leaves: Leaf[] = []
  for (const pool of pools) {
    for (const tip of pool.tips) {
      const own = [...asks.keys()].filter(i => asks[i]!.pool === pool && asks[i]!.tip === tip)
      const children = yield* addChildren(
        growth,
        tip,
        own.map(i => extensions[i]!),
      )
      leaves.push(...children.map(({ node, from }) => ({ pool, node, place: asks[own[from]!]!.place })))
    }
  }
  yield* buryBarren(
    growth,
    asks.map(({ tip }) => tip),
  )
  return leaves
}

/** Values of leaves as logarithms, with the scores of the steps ahead. */
async function valuesOf(growth: Growth, leaves: readonly Leaf[]): Promise<Map<number, number>> {
  const { tree, context } = growth
  const open = leaves.filter(({ node }) => tree.nodes[node]!.state === 'open')
  const paths = open.map(({ node, place }) => ({ place, steps: pathTo(tree, node).steps }))
  const ahead = await lookAhead(context, paths)
  const scoresAhead = new Map(open.map(({ node }, i) => [node, ahead[i]!]))
  return new Map(leaves.map(({ node }) => [node, logValue(growth, node, scoresAhead.get(node))]))
}

/** Keeps the best leaves of a pool. Ends below them are candidates like any other: they are paid for. */
function* narrow(growth: Growth, pool: Pool, nodes: readonly number[], values: ReadonlyMap<number, number>) {
  // Where the least score counts, all that follows a weak step is worth the same: then the step itself tells.
  const ranks = nodes.map(node => [values.get(node)!, ...scoreRank(growth.tree.nodes[node]!.score)])
  const kept = greatest(ranks, pool.places).map(i => nodes[i]!)
  const isOpen = (node: number) => growth.tree.nodes[node]!.state === 'open'
  for (const node of nodes) {
    if (isOpen(node) && !kept.includes(node)) yield* outrank(growth, node)
  }
  const open = kept.filter(isOpen)
  pool.places -= kept.length - open.length
  pool.over = open.length === 0
  if (open.length > 0) pool.tips = open
}

function searchIn(method: MethodName, openPools: (params: ParamValues) => Pool[]): Method {
  return async function* beamSearch(context) {
    requireContinuation(context, method)
    const choose = CHOICES[context.params.select]
    const growth: Growth = { context, tree: createTree(), entries: [] }
    const watchBest = createBestWatch(choose)
    const pools = openPools(context.params)
    for (let depth = 0, going = pools; going.length > 0; depth++, going = going.filter(({ over }) => !over)) {
      const leaves = yield* propose(growth, going, depth)
      const values = await valuesOf(growth, leaves)
      for (const pool of going) {
        const own = leaves.filter(leaf => leaf.pool === pool).map(({ node }) => node)
        yield* narrow(growth, pool, own, values)
      }
      yield* watchBest(growth.entries)
    }
    const tips = pools.flatMap(pool => pool.tips)
    const entries = growth.entries.length > 0 ? growth.entries : yield* bestPartial(growth, tips)
    yield* watchBest(entries)
    return { ...select(entries, choose), tree: growth.tree.nodes }
  }
}

/** How many beams `n` proposals in a round of `width` each make: at least one, where dividing would leave none. */
const beamsFor = ({ n, width }: ParamValues) => Math.ceil(n / width)

const poolFrom = (index: number, proposals: number, places: number): Pool => ({
  index,
  proposals,
  places,
  tips: [ROOT],
  over: false,
})

/** Beam search: the ⌈n / width⌉ best of a round's `n` proposals go on; all compete with all. */
export const beam: Method = searchIn('beam', params => [poolFrom(0, params.n, beamsFor(params))])

/**
 * Diverse verifier tree search: ⌈n / width⌉ subtrees that do not compete, each of which goes on from the best of its own
 * proposals. More diverse than beam search, and less sharp.
 */
export const dvts: Method = searchIn('dvts', params => {
  const count = beamsFor(params)
  // What does not divide evenly goes to the first subtrees.
  return Array.from({ length: count }, (_, i) => poolFrom(i, Math.ceil((params.n - i) / count), 1))
})
