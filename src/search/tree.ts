// A search tree as a plain array of nodes that point to each other by index (as in mctx). Knows no LLM and no policy.

export const ROOT = 0
export const NO_PARENT = -1
const UNVISITED = 0

/**
 * `open`: may be expanded. `expanded`: has children. `ended`: the LLM ended its solution here. `cut`: the limit of steps
 * stopped it here. `rejected`: refused by the guard. `outranked`: left for better ones. `dead`: nothing can follow. Only `open`
 * nodes are ever expanded.
 */
export type NodeState = 'open' | 'expanded' | 'ended' | 'cut' | 'rejected' | 'outranked' | 'dead'

/** One node, fit for JSON. */
export interface TreeNode {
  /** Index of the parent; NO_PARENT for the root. Parents come before their children. */
  readonly parent: number
  /** 0 for the root. */
  readonly depth: number
  /** Text of the step, or the plan, that leads here; '' for the root, and where the LLM ended without another word. */
  readonly step: string
  /** P(child | parent) in [0, 1] where the method uses priors, else null. */
  prior: number | null
  /** mcts: simulations that passed. guard: times this text was proposed. particle: particles that came. plan: solutions below it. */
  visits: number
  /** Sum of the values of those visits, each in [0, 1]. */
  value_sum: number
  /** P(step right) in [0, 1]; null when unscored or when there is no step. */
  readonly score: number | null
  state: NodeState
}

export interface Tree {
  readonly nodes: TreeNode[]
  /** Indices of the children of each node. */
  readonly children: number[][]
}

/** A tree with its root only. */
export function createTree(): Tree {
  const root: TreeNode = {
    parent: NO_PARENT,
    depth: 0,
    step: '',
    prior: null,
    visits: UNVISITED,
    value_sum: 0,
    score: null,
    state: 'open',
  }
  return { nodes: [root], children: [[]] }
}

export interface NewNode {
  readonly parent: number
  readonly step: string
  readonly score: number | null
  readonly state: NodeState
}

/** Adds a child and returns its index; an open parent becomes expanded. */
export function addNode(tree: Tree, { parent, step, score, state }: NewNode): number {
  const above = tree.nodes[parent]!
  if (above.state === 'open') above.state = 'expanded'
  const index = tree.nodes.length
  tree.nodes.push({
    parent,
    depth: above.depth + 1,
    step,
    prior: null,
    visits: UNVISITED,
    value_sum: 0,
    score,
    state,
  })
  tree.children.push([])
  tree.children[parent]!.push(index)
  return index
}

/** Adds steps one below the other, each visited once and worth its score; returns their nodes, first to last. */
export function addChain(
  tree: Tree,
  parent: number,
  steps: readonly string[],
  scores: readonly (number | null)[],
): number[] {
  const nodes: number[] = []
  for (const [i, step] of steps.entries()) {
    const score = scores[i] ?? null
    const node = addNode(tree, { parent: nodes.at(-1) ?? parent, step, score, state: 'open' })
    tree.nodes[node]!.visits = 1
    tree.nodes[node]!.value_sum = score ?? 0
    nodes.push(node)
  }
  return nodes
}

/** The steps from the root to a node and their scores; both have the same length. Nodes without a step are left out. */
export function pathTo(tree: Tree, node: number): { steps: string[]; scores: (number | null)[] } {
  const steps: string[] = []
  const scores: (number | null)[] = []
  for (let at = node; at !== NO_PARENT; at = tree.nodes[at]!.parent) {
    const { step, score } = tree.nodes[at]!
    if (step === '') continue
    steps.push(step)
    scores.push(score)
  }
  return { steps: steps.reverse(), scores: scores.reverse() }
}
