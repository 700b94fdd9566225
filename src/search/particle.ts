// Particle filter over steps: all particles take a step, then are drawn anew in proportion to what the critic says of them
// (research/algorithms.md, b10). Knows no LLM that cannot continue a partial answer.
import { createBestWatch, drawn, select } from './candidate.ts'
import { extend } from './extend.ts'
import {
  addStep,
  bestPartial,
  buryBarren,
  type Growth,
  leadsOn,
  logValue,
  outrank,
  stepText,
} from './grow.ts'
import { type Method, requireContinuation } from './method.ts'
import { CHOICES } from './pick.ts'
import { oddsOf, resample } from './resample.ts'
import { createRng, seedFor } from './rng.ts'
import { createTree, pathTo, ROOT } from './tree.ts'
import type { SearchEvent } from './types.ts'

interface Round {
  /** Node of each particle that lives. */
  readonly nodes: readonly number[]
  /** True when budget or deadline kept a particle from its step. */
  readonly stopped: boolean
}

const isOpen = ({ tree }: Growth, node: number) => tree.nodes[node]!.state === 'open'

/**
 * One step of every particle that has not ended. Particles that say the same share a node; a particle that has nothing to
 * say is lost. An ended one is absorbing: it stays as it is, and so do all its copies.
 */
async function* step(
  growth: Growth,
  particles: readonly number[],
  round: number,
): AsyncGenerator<SearchEvent, Round> {
  const { context, tree } = growth
  const { temperature } = context.params
  const going = [...particles.keys()].filter(i => isOpen(growth, particles[i]!))
  const extensions = await extend(
    context,
    going.map(i => {
      const { steps } = pathTo(tree, particles[i]!)
      return { place: [round, i], steps, temperature }
    }),
  )
  const nodes: (number | null)[] = [...particles]
  for (const [g, i] of going.entries()) {
    const extension = extensions[g]!
    const from = particles[i]!
    if (extension.kind === 'stopped') continue
    if (!leadsOn(extension)) {
      nodes[i] = null
      continue
    }
    const same = tree.children[from]!.find(child => tree.nodes[child]!.step === stepText(extension))
    const node = same ?? (yield* addStep(growth, from, extension))
    tree.nodes[node]!.visits += 1
    tree.nodes[node]!.value_sum += Math.exp(logValue(growth, node))
    nodes[i] = node
  }
  yield* buryBarren(
    growth,
    going.map(i => particles[i]!),
  )
  return {
    nodes: nodes.filter(node => node !== null),
    stopped: extensions.some(({ kind }) => kind === 'stopped'),
  }
}

/**
 * `n` particles, until all have ended. The answer is chosen among the ends found, each drawn as often as particles stand on it
 * (Puri et al. 2025, its_hub).
 */
export const particle: Method = async function* particle(context) {
  requireContinuation(context, 'particle')
  const { n } = context.params
  const choose = CHOICES[context.params.select]
  const growth: Growth = { context, tree: createTree(), entries: [] }
  const watchBest = createBestWatch(choose)
  const rng = createRng(seedFor(context.seed, []))
  let particles: readonly number[] = Array.from({ length: n }, () => ROOT)
  const found = () => {
    const counts = growth.entries.map(({ branch }) => particles.filter(node => node === branch).length)
    return drawn(growth.entries, counts)
  }
  for (let round = 0; particles.some(node => isOpen(growth, node)); round++) {
    const { nodes, stopped } = yield* step(growth, particles, round)
    if (nodes.length === 0) break
    particles = nodes
    yield* watchBest(found())
    // The last round is not resampled: its weights go into the choice, and a draw would only add noise to them.
    if (stopped || !nodes.some(node => isOpen(growth, node))) break
    const weights = nodes.map(node => oddsOf(Math.exp(logValue(growth, node))))
    particles = resample(weights, n, rng()).map(i => nodes[i]!)
    for (const node of new Set(nodes)) {
      if (isOpen(growth, node) && !particles.includes(node)) yield* outrank(growth, node)
    }
  }
  const entries = growth.entries.length > 0 ? found() : yield* bestPartial(growth, particles)
  yield* watchBest(entries)
  return { ...select(entries, choose), tree: growth.tree.nodes }
}
