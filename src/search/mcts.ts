// Monte Carlo tree search over steps: PUCT selection, critic scores as values, rollouts on request (research/algorithms.md, b7).
// A simulation walks from the root to the end of a solution and expands every open node on its way.
import { aggregate } from './aggregate.ts'
import { createBestWatch, drawn, type Entry, select, toEntry } from './candidate.ts'
import { type Extension, extend } from './extend.ts'
import { addChildren, type Child, type Growth, leadsOn, NEUTRAL } from './grow.ts'
import { type Method, requireContinuation } from './method.ts'
import { argmax, CHOICES } from './pick.ts'
import { type PuctChild, selectChild, softmaxPriors } from './puct.ts'
import { rollOut } from './rollout.ts'
import { createTree, NO_PARENT, type NodeState, pathTo, ROOT } from './tree.ts'
import type { SearchEvent } from './types.ts'

interface Search extends Growth {
  /** Simulations on their way through each node. */
  readonly pending: Map<number, number>
  /** Values from rollouts, by node. */
  readonly rolledOut: Map<number, number>
}

/** A simulation: the nodes it went through, root first. */
type Walk = number[]

const stateOf = ({ tree }: Search, node: number): NodeState => tree.nodes[node]!.state
const tipOf = (walk: Walk): number => walk.at(-1)!

/** Value of a node in [0, 1]: the aggregate of the scores on its path. */
function pathValue({ tree, context }: Search, node: number): number {
  return aggregate(pathTo(tree, node).scores)[context.params.aggregation] ?? NEUTRAL
}

/** Value of a node before its first visit: the critic's, mixed with that of its rollout where there is one. */
function firstValueOf(search: Search, node: number): number {
  const own = pathValue(search, node)
  const { rollout } = search.context.params
  return (1 - rollout) * own + rollout * (search.rolledOut.get(node) ?? own)
}

function enter({ pending }: Search, walk: Walk, node: number): void {
  walk.push(node)
  pending.set(node, (pending.get(node) ?? 0) + 1)
}

function selectFrom(search: Search, node: number): number {
  const { tree, pending, context } = search
  const alive = tree.children[node]!.filter(child => stateOf(search, child) !== 'dead')
  const arms = alive.map((child): PuctChild => {
    const { prior, visits, value_sum: valueSum, score } = tree.nodes[child]!
    const firstValue = visits === 0 ? firstValueOf(search, child) : 0
    return { prior: prior ?? 0, visits, valueSum, firstValue, pending: pending.get(child) ?? 0, score }
  })
  // The walk that asks is itself pending here and has not chosen yet.
  const parentVisits = tree.nodes[node]!.visits + (pending.get(node) ?? 0) - 1
  return alive[selectChild(arms, parentVisits, context.params.exploration)!]!
}

/** Follows expanded nodes down to a node that is open, or where nothing follows. */
function descend(search: Search, walk: Walk): void {
  while (stateOf(search, tipOf(walk)) === 'expanded') enter(search, walk, selectFrom(search, tipOf(walk)))
}

/** Adds one visit along the walk and takes its virtual loss back; a walk into a dead end leaves no value. */
function finish(search: Search, walk: Walk): void {
  const tip = tipOf(walk)
  const arrived = stateOf(search, tip) === 'ended' || stateOf(search, tip) === 'cut'
  const value = arrived ? pathValue(search, tip) : 0
  for (const node of walk) {
    search.pending.set(node, search.pending.get(node)! - 1)
    if (!arrived) continue
    search.tree.nodes[node]!.visits += 1
    search.tree.nodes[node]!.value_sum += value
  }
}

/** Marks a node that nothing can follow, and every ancestor that has no other way left. */
function* bury({ tree }: Search, node: number): Generator<SearchEvent> {
  for (let at = node; at !== NO_PARENT; at = tree.nodes[at]!.parent) {
    if (!tree.children[at]!.every(child => tree.nodes[child]!.state === 'dead')) return
    tree.nodes[at]!.state = 'dead'
    yield { type: 'prune', branch: at, index: Math.max(0, tree.nodes[at]!.depth - 1), reason: 'dead' }
  }
}

/** What the priors of children go by, which came of `extensions`; all null: nothing, so that they are equal. */
function worthsOf(
  { tree, context }: Search,
  children: readonly Child[],
  extensions: readonly Extension[],
): (number | null)[] {
  const { prior } = context.params
  return children.map(({ node, from }) => {
    const extension = extensions[from]!
    if (prior === 'critic') return tree.nodes[node]!.score
    return prior === 'logprobs' && leadsOn(extension) ? extension.likelihood : null
  })
}

function* attach(search: Search, parent: number, extensions: readonly Extension[]): Generator<SearchEvent> {
  const children = yield* addChildren(search, parent, extensions)
  const { context, tree } = search
  if (children.length === 0) {
    if (!context.calls.stopped) yield* bury(search, parent)
    return
  }
  const priors = softmaxPriors(worthsOf(search, children, extensions), context.params.prior_temperature)
  for (const [i, { node }] of children.entries()) tree.nodes[node]!.prior = priors[i]!
}

async function* expand(search: Search, leaves: readonly number[]): AsyncGenerator<SearchEvent> {
  const { context, tree } = search
  const { width, temperature, prior } = context.params
  const asks = leaves.flatMap(leaf => {
    const { steps } = pathTo(tree, leaf)
    return Array.from({ length: width }, (_, k) => ({
      place: [leaf, k],
      steps,
      temperature,
      logprobs: prior === 'logprobs',
    }))
  })
  const extensions = await extend(context, asks)
  for (const [i, leaf] of leaves.entries()) {
    yield* attach(search, leaf, extensions.slice(i * width, (i + 1) * width))
  }
  if (context.params.rollout > 0) await rollOutChildren(search, leaves)
}

/** Rolls out the open children of nodes just expanded; an end has its value. */
async function rollOutChildren(search: Search, parents: readonly number[]): Promise<void> {
  const { context, tree, rolledOut } = search
  const open = parents
    .flatMap(parent => tree.children[parent]!)
    .filter(child => stateOf(search, child) === 'open')
  // Calls of an expansion have places of two indices.
  const paths = open.map(child => ({ place: [child, 0, 0], ...pathTo(tree, child) }))
  const values = await rollOut(context, paths)
  for (const [i, child] of open.entries()) {
    if (values[i] !== null) rolledOut.set(child, values[i]!)
  }
}

/** The ends found, each drawn as often as simulations came to it. */
const drawnEntries = ({ tree, entries }: Search): readonly Entry[] =>
  drawn(
    entries,
    entries.map(({ branch }) => tree.nodes[branch]!.visits),
  )

/** The path most simulations took, for a search that ended before any solution did. */
function* mainPath(search: Search): Generator<SearchEvent, Entry[]> {
  const { tree, context } = search
  let node = ROOT
  while (tree.children[node]!.length > 0) {
    const children = tree.children[node]!
    const ranks = children.map(child => [tree.nodes[child]!.visits, pathValue(search, child)])
    node = children[argmax(ranks)!]!
  }
  if (node === ROOT) return []
  const entry = toEntry({ branch: node, ...pathTo(tree, node), ended: false }, context)
  yield { type: 'candidate', branch: node, candidate: entry.candidate }
  return [entry]
}

/**
 * PUCT tree search. `parallel` simulations walk at the same time and share every expansion, so that a round is one bundle of
 * LLM calls and one critic call; virtual loss keeps them apart.
 */
export const mcts: Method = async function* mcts(context) {
  requireContinuation(context, 'mcts')
  const { simulations, parallel } = context.params
  const choose = CHOICES[context.params.select]
  const search: Search = {
    context,
    tree: createTree(),
    pending: new Map(),
    rolledOut: new Map(),
    entries: [],
  }
  const watchBest = createBestWatch(choose)
  for (let left = simulations; left > 0 && stateOf(search, ROOT) !== 'dead'; left -= parallel) {
    const walks = Array.from({ length: Math.min(parallel, left) }, (): Walk => [])
    for (const walk of walks) enter(search, walk, ROOT)
    for (;;) {
      for (const walk of walks) descend(search, walk)
      const open = walks.map(tipOf).filter(tip => stateOf(search, tip) === 'open')
      if (open.length === 0 || context.calls.stopped) break
      yield* expand(search, [...new Set(open)])
    }
    for (const walk of walks) finish(search, walk)
    yield* watchBest(drawnEntries(search))
    if (context.calls.stopped) break
  }
  const found = drawnEntries(search)
  const entries = found.length > 0 ? found : yield* mainPath(search)
  return { ...select(entries, choose), tree: search.tree.nodes }
}
