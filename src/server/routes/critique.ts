// POST /critique: reads the three forms of the request, asks the critic once, and words its scores. Knows no model.
import { extractAnswer } from '../../answer/extract.ts'
import { splitSteps } from '../../answer/split.ts'
import type { Step } from '../../answer/types.ts'
import type { Critic, Critique, StepScore, Timing } from '../../critic/types.ts'
import { aggregate } from '../../search/aggregate.ts'
import type { components } from '../api.d.ts'
import { askCritic } from '../ask-critic.ts'
import { clientOf } from '../client.ts'
import type { Deps } from '../deps.ts'
import { whileWanted } from '../gone.ts'
import type { Operation } from '../operations.ts'
import { logged, recordAnswer } from '../traffic.ts'
import { InvalidRequest } from '../validate.ts'
import { chooseCritic, showExamples, verdictOf } from '../verdict.ts'
import { withFallback } from '../with-fallback.ts'

type Schemas = components['schemas']
type Item = Schemas['ItemSteps'] | Schemas['ItemSolution']

/** An item with its steps; `spans[i]` is where step i stands when the server split it. */
interface ReadItem {
  readonly problem: string
  readonly solution: string
  readonly steps: readonly string[]
  readonly spans: readonly Step[] | null
}

const MAX_STEPS = 512
const MAX_STEP_CHARS = 8000
/** Of all steps of one item together, as of a `solution`. */
const MAX_CHARS = 200_000

export const critique =
  (deps: Deps): Operation<'critique'> =>
  async (req, res) => {
    const { body } = req
    const client = clientOf(req) ?? res.locals.requestId
    const { critic: chosen, fallback } = chooseCritic(deps.critics, body.critic, client)
    const critic = withFallback({ critic: showExamples(chosen, body.examples), fallback })
    const items =
      'items' in body ? body.items.map((item, i) => readItem(item, `items[${i}].`)) : [readItem(body, '')]
    const judged = await askCritic(critic, items, whileWanted(res), timing =>
      res.set('Server-Timing', wordTiming(timing)),
    )
    const requestId = res.locals.requestId
    const answers = items.map((item, i) => {
      const found = judged[i]
      if (found === undefined)
        throw new Error(`critic ${critic.version} returned ${judged.length} of ${items.length}`)
      return wordCritique(critic, item, found, 'items' in body ? deps.newId('req') : requestId)
    })
    const at = deps.now()
    recordAnswer(res, deps, () =>
      items.map(({ problem, steps, solution }, i) => ({
        id: answers[i]!.request_id,
        kind: 'critique',
        at,
        problem,
        candidates: [
          logged(
            steps,
            answers[i]!.steps.map(step => step.score),
            extractAnswer(solution),
          ),
        ],
        critic: critic.version,
      })),
    )
    deps.metrics.critique(countVerdicts(critic, answers))
    if ('items' in body) res.json({ results: answers, request_id: requestId })
    else res.json(answers[0]!)
  }

function readItem(item: Item, path: string): ReadItem {
  const { problem } = item
  const refuse = (message: string) =>
    new InvalidRequest([{ path: path + ('steps' in item ? 'steps' : 'solution'), message }])
  if ('steps' in item) {
    const solution = item.steps.join('\n')
    if (isLonger(solution, MAX_CHARS)) throw refuse(`have more than ${MAX_CHARS} characters together`)
    return { problem, steps: item.steps, solution, spans: null }
  }
  const spans = splitSteps(item.solution, item.split)
  if (spans.length === 0) throw refuse('has no steps')
  if (spans.length > MAX_STEPS) throw refuse(`splits into ${spans.length} steps; ${MAX_STEPS} are allowed`)
  const long = spans.findIndex(({ text }) => isLonger(text, MAX_STEP_CHARS))
  if (long >= 0) throw refuse(`step ${long} of the split has more than ${MAX_STEP_CHARS} characters`)
  return { problem, steps: spans.map(({ text }) => text), solution: item.solution, spans }
}

/** Counts characters as the contract does: code points, of which there are at most as many as UTF-16 units. */
const isLonger = (text: string, limit: number): boolean => text.length > limit && [...text].length > limit

function wordCritique(
  critic: Critic,
  item: ReadItem,
  found: Critique,
  requestId: string,
): Schemas['Critique'] {
  const { threshold } = critic
  if (found.steps.length !== item.steps.length)
    throw new Error(`critic ${critic.version} scored ${found.steps.length} of ${item.steps.length} steps`)
  const steps = found.steps.map((step, index) => wordStep(step, index, threshold, item.spans?.[index]))
  const firstError = steps.findIndex(({ verdict }) => verdict === 'wrong')
  return {
    critic: critic.version,
    threshold,
    steps,
    first_error: firstError < 0 ? null : firstError,
    aggregate: aggregate(steps.map(({ score }) => score)),
    usage: { tokens: found.tokens },
    request_id: requestId,
  }
}

/** W3C Server Timing: the stages in milliseconds. */
const wordTiming = ({ queue, tokenise, infer, total }: Timing): string =>
  Object.entries({ queue, tokenise, infer, total })
    .map(([stage, ms]) => `${stage};dur=${ms.toFixed(2)}`)
    .join(', ')

function wordStep(
  { score, evidence, reason, rationale }: StepScore,
  index: number,
  threshold: number,
  span: Step | undefined,
): Schemas['StepCritique'] {
  return {
    index,
    score,
    verdict: verdictOf(score, threshold),
    evidence: evidence.map(({ kind, text, holds, detail }) => ({ kind, text, holds, detail })),
    ...(reason !== undefined && { reason }),
    ...(rationale !== undefined && { rationale }),
    ...(span && { span: { start: span.start, end: span.end } }),
  }
}

function countVerdicts(critic: Critic, answers: readonly Schemas['Critique'][]) {
  const counts = { critic: critic.version, right: 0, wrong: 0, unscored: 0, tokens: 0 }
  for (const { steps, usage } of answers) {
    counts.tokens += usage.tokens
    for (const { verdict } of steps) counts[verdict] += 1
  }
  return counts
}
