// Step labels from search trees: of the solutions that share a beginning, how many came to the right answer before and after a step?
// Knows no search and no model.
import type { Example, StepLabel } from '../data/example.ts'
import type { TrafficProblem, TrafficSolution } from './outcomes.ts'

/** Fewer continuations than this say nothing of a step. */
const LEAST = 3

/** Solutions of known outcome that begin in the same way. */
interface Node {
  known: number
  right: number
  readonly next: Map<string, Node>
}

const leaf = (): Node => ({ known: 0, right: 0, next: new Map() })

/**
 * Examples with a label where at least three known solutions go through a step: the share of them that end right, over the same
 * share before the step, at most 1 (Math-Shepherd's estimate, arXiv 2312.08935, less what the problem's own difficulty explains).
 * Nothing is said once no solution that begins like this ends right. Each labelled beginning is told once.
 */
export function treeExamples({ problem, solutions }: TrafficProblem): Example[] {
  const known = solutions.filter(({ outcome }) => outcome !== null)
  const root = leaf()
  for (const { steps, outcome } of known) {
    const right = outcome!.right ? 1 : 0
    for (const node of pathOf(root, steps)) {
      node.known++
      node.right += right
    }
  }
  const told = new Set<Node>()
  return known.flatMap(solution => {
    const { labels, last } = labelsOf(root, solution, told)
    if (last < 0) return []
    return [
      {
        problem,
        steps: solution.steps.slice(0, last + 1),
        labels: labels.slice(0, last + 1),
        source: 'tree' as const,
        imitate: false,
      },
    ]
  })
}

/** The root and the nodes of the steps; missing ones are made. */
function pathOf(root: Node, steps: readonly string[]): Node[] {
  let node = root
  const path = [root]
  for (const step of steps) {
    const next = node.next.get(step) ?? leaf()
    node.next.set(step, next)
    node = next
    path.push(node)
  }
  return path
}

/** `last`: index of the last step that this solution is the first to tell of, -1 for none. */
function labelsOf(root: Node, { steps }: TrafficSolution, told: Set<Node>) {
  const [, ...nodes] = pathOf(root, steps)
  let before = root
  let last = -1
  const labels = nodes.map((node, i): StepLabel => {
    const [was, is] = [before.right / before.known, node.right / node.known]
    before = node
    if (node.known < LEAST || !(was > 0)) return null
    if (!told.has(node)) {
      told.add(node)
      last = i
    }
    return Math.min(1, is / was)
  })
  return { labels, last }
}
