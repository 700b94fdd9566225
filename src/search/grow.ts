// A tree that grows step by step: extensions become nodes, ends become candidates. Knows no policy; mcts, beam search and the
// particle filter are made of it.
import { logAggregate } from './aggregate.ts'
import { type Entry, toEntry } from './candidate.ts'
import type { Extension } from './extend.ts'
import type { MethodContext } from './method.ts'
import { argmax } from './pick.ts'
import { addNode, pathTo, ROOT, type Tree } from './tree.ts'
import type { SearchEvent } from './types.ts'

/** Value of a path without any score: no opinion. 0 would read as certainly wrong. */
export const NEUTRAL = 0.5

export interface Growth {
  readonly context: MethodContext
  readonly tree: Tree
  /** Ends found, in the order of their nodes. */
  readonly entries: Entry[]
}

/** An extension that leads on: to a new step, or to the end of the solution. */
export type Onward = Extract<Extension, { kind: 'step' | 'end' }>

export const leadsOn = (extension: Extension): extension is Onward =>
  extension.kind === 'step' || extension.kind === 'end'

/** Text of the node an extension leads to; '' where the solution ends without another word. */
export const stepText = (extension: Onward): string => (extension.kind === 'step' ? extension.step : '')

/** Adds the node an extension leads to and returns its index; an end, or the last step allowed, is a candidate. */
export function* addStep(growth: Growth, parent: number, extension: Onward): Generator<SearchEvent, number> {
  const { tree, context, entries } = growth
  const index = tree.nodes[parent]!.depth
  const step = stepText(extension)
  const score = extension.kind === 'step' ? extension.score : null
  const ended = extension.kind === 'step' ? extension.ended : true
  const state = ended ? 'ended' : index + 1 >= context.params.max_steps ? 'cut' : 'open'
  const node = addNode(tree, { parent, step, score, state })
  if (step !== '') {
    yield { type: 'step', branch: node, index, text: step }
    yield { type: 'score', branch: node, index, scores: [score] }
  }
  if (state === 'open') return node
  const entry = toEntry({ branch: node, ...pathTo(tree, node), ended }, context)
  entries.push(entry)
  yield { type: 'candidate', branch: node, candidate: entry.candidate }
  return node
}

export interface Child {
  readonly node: number
  /** Index of the extension it came from. */
  readonly from: number
}

/** Adds a node for each extension of one parent that leads on; of equal ones only the first. */
export function* addChildren(
  growth: Growth,
  parent: number,
  extensions: readonly Extension[],
): Generator<SearchEvent, Child[]> {
  const seen = new Set<string>()
  const children: Child[] = []
  for (const [from, extension] of extensions.entries()) {
    if (!leadsOn(extension)) continue
    const text = stepText(extension)
    if (seen.has(text)) {
      const index = growth.tree.nodes[parent]!.depth
      yield { type: 'prune', branch: parent, index, reason: 'duplicate' }
      continue
    }
    seen.add(text)
    children.push({ node: yield* addStep(growth, parent, extension), from })
  }
  return children
}

/**
 * Natural logarithm of a node's value: the aggregate of the scores on its path.
 * @param ahead scores of steps behind the node that count towards its value
 */
export function logValue(
  { tree, context }: Growth,
  node: number,
  ahead: readonly (number | null)[] = [],
): number {
  const scores = [...pathTo(tree, node).scores, ...ahead]
  return logAggregate(scores, context.params.aggregation) ?? Math.log(NEUTRAL)
}

/** Leaves a node for better ones: it is not followed further. */
export function* outrank({ tree }: Growth, node: number): Generator<SearchEvent> {
  tree.nodes[node]!.state = 'outranked'
  yield { type: 'prune', branch: node, index: tree.nodes[node]!.depth - 1, reason: 'outranked' }
}

/** Marks those of the nodes tried that got no child: nothing follows them. When the search was stopped that is not known. */
export function* buryBarren({ tree, context }: Growth, tried: readonly number[]): Generator<SearchEvent> {
  if (context.calls.stopped) return
  for (const node of new Set(tried)) {
    if (tree.children[node]!.length > 0) continue
    tree.nodes[node]!.state = 'dead'
    yield { type: 'prune', branch: node, index: Math.max(0, tree.nodes[node]!.depth - 1), reason: 'dead' }
  }
}

/**
 * The best of the longest paths to `tips` as an unfinished solution, for a search that ended before any solution did; none at
 * the root. A shorter path has had fewer chances to be wrong, so values tell only among equals.
 */
export function* bestPartial(growth: Growth, tips: readonly number[]): Generator<SearchEvent, Entry[]> {
  const { tree, context } = growth
  const begun = tips.filter(tip => tip !== ROOT)
  const best = argmax(begun.map(tip => [tree.nodes[tip]!.depth, logValue(growth, tip)]))
  if (best === null) return []
  const node = begun[best]!
  const entry = toEntry({ branch: node, ...pathTo(tree, node), ended: false }, context)
  yield { type: 'candidate', branch: node, candidate: entry.candidate }
  return [entry]
}
