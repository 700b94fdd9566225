// Composes word problems: an opening, what happens next, a question, and a solution proven right by construction.
import type { Rng } from '../rng.ts'
import { numberOf, readEquations } from './arithmetic.ts'
import { distractor } from './distractors.ts'
import { COST_LINKS } from './links-cost.ts'
import { FRIEND_LINKS } from './links-friends.ts'
import { ITEM_LINKS } from './links-items.ts'
import { JOURNEY_LINKS } from './links-journey.ts'
import { MONEY_LINKS } from './links-money.ts'
import { PEOPLE_LINKS } from './links-people.ts'
import { STOCK_LINKS } from './links-stock.ts'
import { legitimateValues } from './paths.ts'
import { COMPARING_STORIES } from './stories-comparing.ts'
import { EARNINGS_STORIES } from './stories-earnings.ts'
import { GROUP_STORIES } from './stories-groups.ts'
import { MEASURE_STORIES } from './stories-measure.ts'
import { SHARING_STORIES } from './stories-sharing.ts'
import { SHOP_STORIES } from './stories-shop.ts'
import { WORK_STORIES } from './stories-work.ts'
import { type Core, createStory, type Link, type Story, type Tail } from './story.ts'
import type { Difficulty, GeneratedProblem } from './types.ts'

const CORES: readonly Core[] = [
  ...SHOP_STORIES,
  ...EARNINGS_STORIES,
  ...SHARING_STORIES,
  ...COMPARING_STORIES,
  ...GROUP_STORIES,
  ...WORK_STORIES,
  ...MEASURE_STORIES,
]
const LINKS: readonly Link[] = [
  ...ITEM_LINKS,
  ...FRIEND_LINKS,
  ...MONEY_LINKS,
  ...COST_LINKS,
  ...JOURNEY_LINKS,
  ...PEOPLE_LINKS,
  ...STOCK_LINKS,
]

/** Every kind of story there is, in a fixed order. */
export const PROBLEM_KINDS: readonly string[] = CORES.map(core => core.kind)

/** Share of problems of difficulty 3 and up that carry a number nobody needs. */
const DISTRACTED = 0.35

/**
 * A fresh problem with its solution of about `1 + difficulty` steps. Draws from `rng` only: same seed, same problem.
 * @throws {Error} when a template wrote a step that does not hold; a bug, never bad luck.
 */
export function generateProblem(rng: Rng, options: { readonly difficulty: Difficulty }): GeneratedProblem {
  const { difficulty } = options
  const wanted = 1 + difficulty
  const fits = CORES.filter(core => core.min <= wanted && (core.max ?? wanted) >= wanted)
  const core = rng.pick(fits)
  const story = createStory(rng, wanted)
  const tail = goOn(story, core.tell(story), core.kind)
  const sentences = story.sentences.slice()
  if (difficulty >= 3 && rng.uniform() < DISTRACTED)
    sentences.splice(rng.pick(gaps(sentences)), 0, distractor(story, tail.who, core.kind))
  const answer = tail.at.text
  const steps = story.steps.map((step, i) =>
    i === story.steps.length - 1 ? `${step} The answer is ${answer}.` : step,
  )
  const problem: GeneratedProblem = {
    problem: `${sentences.join(' ')} ${rng.pick(tail.ask)}`,
    steps,
    answer,
    values: legitimateValues(tail.at, story.others),
    givens: [...new Set(story.givens.map(q => q.value))].sort((a, b) => a - b),
    kind: core.kind,
    difficulty,
  }
  prove(problem, story)
  return problem
}

/** Places a sentence may be slipped in without cutting off one that points back (`that is twice as many`). */
function gaps(sentences: readonly string[]): number[] {
  const points = /\b(?:that|this|these|those|they|them|it|one|as many|more|fewer|also|too)\b/i
  return [...sentences.keys(), sentences.length].filter(i => i > 0 && !points.test(sentences[i] ?? ''))
}

/** Lets things happen to the tail until the wanted steps are used up or nothing fits any more. */
function goOn(story: Story, start: Tail, opening: string): Tail {
  const used = new Set<string>()
  let tail = start
  while (story.left() > 0) {
    const { kind } = tail
    // A discount on a discount reads as one sum said twice.
    const able = LINKS.filter(l => l.on === kind && l.name !== opening && l.steps <= story.left())
    const links = [
      ...story.rng.shuffle(able.filter(l => !used.has(l.name))),
      ...able.filter(l => used.has(l.name)),
    ]
    let next: Tail | null = null
    for (const link of links) {
      next = link.apply(story, tail)
      if (next === null) continue
      used.add(link.name)
      break
    }
    if (next === null) return tail
    tail = next
  }
  return tail
}

/** Evaluates every step again from its text, and the chain of results. */
function prove(problem: GeneratedProblem, story: Story): void {
  problem.steps.forEach((step, i) => {
    const equations = readEquations(step)
    const [equation] = equations
    const known = story.results
      .slice(0, i)
      .map(q => q.value)
      .concat(story.givens.map(q => q.value))
    if (
      equations.length !== 1 ||
      equation === undefined ||
      !equation.holds ||
      numberOf(equation.result) !== story.results[i]?.value ||
      !equation.operands.every(term => known.includes(numberOf(term)))
    )
      throw new Error(`A template of kind ${problem.kind} wrote a broken step: ${step}`)
  })
  const last = story.results.at(-1)
  if (last === undefined || problem.answer !== last.text || last.value < 0)
    throw new Error(`A template of kind ${problem.kind} gave a broken answer: ${problem.answer}`)
}
