// Search over plans, then over solutions: plans are drawn, and those whose solutions score well get more of them. Knows no LLM that
// cannot be told what to do.
import { createBestWatch, type Entry, select } from './candidate.ts'
import { NEUTRAL } from './grow.ts'
import { type Method, type MethodContext, requireInstruction } from './method.ts'
import { answered, CHOICES, greatest } from './pick.ts'
import { type Sampled, sampleWhole, takeSamples } from './sample.ts'
import { addChain, addNode, createTree, ROOT, type Tree } from './tree.ts'
import type { SearchEvent } from './types.ts'

/** A plan and what became of it; the one without a text is to solve without any. */
interface Arm {
  /** Its number, from 1 in the order in which plans were drawn; 0 for the one without a text. */
  readonly plan: number
  readonly text: string | null
  /** Numbers of its solutions. */
  readonly branches: number[]
}

/** Different plans, at most `count`. */
async function drawPlans({ calls, params }: MethodContext, count: number): Promise<string[]> {
  const { temperature, step_max_tokens: maxTokens } = params
  const ask = { aim: { kind: 'plan' }, steps: [], until: 'end', temperature, maxTokens } as const
  const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => calls.propose([0, i], ask)))
  const texts = outcomes.map(outcome => (outcome.kind === 'proposal' ? outcome.proposal.text.trim() : ''))
  return [...new Set(texts)].filter(text => text !== '')
}

const planEvent = ({ plan, text }: Arm, branch: number): SearchEvent => ({ type: 'plan', branch, plan, text })

function solve(context: MethodContext, { text, branches }: Arm, branch: number): Promise<Sampled> {
  branches.push(branch)
  const { temperature } = context.params
  const aim = text === null ? undefined : ({ kind: 'follow', plan: text } as const)
  return sampleWhole(context, { place: [branch], branch, temperature, aim })
}

/** What a solution says of its plan, in [0, 1]: its score, none without an answer. */
function worthOf(entry: Entry): number {
  if (answered(entry) === 0) return 0
  return entry.logScore === null ? NEUTRAL : Math.exp(entry.logScore)
}

const entriesOf = ({ branches }: Arm, entries: readonly Entry[]) =>
  entries.filter(({ branch }) => branches.includes(branch))

const sumOf = (own: readonly Entry[]) => own.reduce((sum, entry) => sum + worthOf(entry), 0)

/** The better half of the arms, rounded up, the best first: by the mean value of their solutions. */
function betterHalf(arms: readonly Arm[], entries: readonly Entry[]): Arm[] {
  const ranks = arms.map(arm => {
    const own = entriesOf(arm, entries)
    return [sumOf(own) / Math.max(1, own.length)]
  })
  return greatest(ranks, Math.ceil(arms.length / 2)).map(i => arms[i]!)
}

function addSolution(tree: Tree, above: number, { candidate }: Entry): void {
  const { steps, scores, ended } = candidate
  const last = addChain(tree, above, steps, scores).at(-1)
  if (last !== undefined) tree.nodes[last]!.state = ended ? 'ended' : 'cut'
}

/** Plans as the children of the root, above their solutions; solutions without a plan hang on the root itself. */
function treeOf(arms: readonly Arm[], entries: readonly Entry[]): Tree {
  const tree = createTree()
  for (const arm of arms) {
    const own = entriesOf(arm, entries)
    const { text } = arm
    const above =
      text === null ? ROOT : addNode(tree, { parent: ROOT, step: text, score: null, state: 'open' })
    if (above !== ROOT) {
      tree.nodes[above]!.visits = own.length
      tree.nodes[above]!.value_sum = sumOf(own)
    }
    for (const entry of own) addSolution(tree, above, entry)
  }
  return tree
}

/**
 * The arms of a round's solutions: each of those left gets as many, so that the rounds still to come, down to that of the last one alone,
 * share what there is evenly; that one gets all of it at once.
 */
function turnsOf(left: readonly Arm[], solutions: number): Arm[] {
  const rounds = Math.ceil(Math.log2(left.length)) + 1
  const each = Math.max(1, Math.floor(solutions / (left.length * rounds)))
  const count = Math.min(solutions, left.length === 1 ? solutions : each * left.length)
  return Array.from({ length: count }, (_, i) => left[i % left.length]!)
}

/**
 * Searches over plans before steps (CPL, Wang et al. 2024). The critic scores steps and not plans, so a plan is worth the mean score of
 * the solutions that follow it. After each round, in which every plan left gets equally many, the better half stays
 * (sequential halving, Karnin et al. 2013); the best gets what is left of the `n` solutions. To solve without a plan is one of the plans.
 */
export const plan: Method = async function* plan(context) {
  requireInstruction(context, 'plan')
  const { n, plans, select: by } = context.params
  const entries: Entry[] = []
  const choose = CHOICES[by]
  const watchBest = createBestWatch(choose)
  const unplanned: Arm = { plan: 0, text: null, branches: [] }
  // Stands in line before the plans: a budget of one call must give a solution.
  const opening = solve(context, unplanned, 0)
  // It is waited for below; should the plans fail first, nobody is left to hear of it.
  opening.catch(() => {})
  yield planEvent(unplanned, 0)
  const texts = await drawPlans(context, Math.min(plans, n - 1))
  const arms = [unplanned, ...texts.map((text, i): Arm => ({ plan: i + 1, text, branches: [] }))]
  for (let next = 0, left: readonly Arm[] = arms; next < n; left = betterHalf(left, entries)) {
    const first = next
    const round = turnsOf(left, n - first)
    next += round.length
    const work = round.map((arm, i) => (first + i === 0 ? opening : solve(context, arm, first + i)))
    for (const [i, arm] of round.entries()) if (first + i > 0) yield planEvent(arm, first + i)
    yield* takeSamples(work, { entries, watchBest })
  }
  return { ...select(entries, choose), tree: treeOf(arms, entries).nodes }
}
