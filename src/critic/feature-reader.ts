// Computes the hand features of a step: what can be counted about it without a model. Each depends on the problem and the
// steps up to this one only (causal). Knows no tokens and not how values become inputs.
import { NUMBER_FLAGS, type StepReading } from '../answer/reader.ts'
import { FEATURE_NAMES, type FeatureName } from './features.ts'

const WORD = /\p{L}{3,}/gu
const LONG_WORD = /\p{L}{7,}/gu
const SENTENCE_END = /[.?!](?=\s|$)/g
const CONCLUDES = /^\W*(so|therefore|thus|hence|finally|in total|in conclusion)\b/i
const SAYS_ANSWER = /\\boxed|####|answer\s*(is|:)|# answer/i
const NEGATION = /\b(not|no|never|cannot|can't|none)\b/gi
const QUANTIFIER = /\b(all|every|each|any|always|only|must)\b/gi
const REASON = /\b(because|since|as|due)\b/gi
const CONDITION = /\b(if|when|then)\b/gi
const COMPARATIVE = /\b(more|less|fewer|than|difference|remaining|left)\b/gi
const INTENTION = /\b(need|find|calculate|determine|know|given)\b/gi

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(WORD) ?? [])
const magnitude = (value: number): number => Math.log1p(Math.abs(value))

function overlap(words: ReadonlySet<string>, seen: ReadonlySet<string>): number {
  let shared = 0
  for (const word of words) if (seen.has(word)) shared++
  return share(shared, words.size)
}

/** Marks of the numbers of a text; `slot` is the same for the same value. */
type Marks = StepReading['numbers']

/** What the problem alone says, the same for every step. */
function problemFeatures(problem: string, numbers: Marks) {
  return {
    problem_words: count(problem, /\p{L}{2,}/gu),
    problem_sentences: count(problem, SENTENCE_END),
    problem_numbers: numbers.length,
    problem_latex: count(problem, /\\/g),
    problem_percents: count(problem, /%|percent/g),
  }
}

function notationFeatures(step: string) {
  return {
    plus: count(step, /\+/g),
    minus: count(step, /-/g),
    times: count(step, /[*×]|\\times|\\cdot/g),
    divided: count(step, /[/÷]|\\frac|\\div/g),
    equals: count(step, /=/g),
    powers: count(step, /\^|\\sqrt/g),
    comparisons: count(step, /[<>≤≥]|\\le|\\ge/g),
    digits_share: share(count(step, /\d/g), step.length),
    operators_share: share(count(step, /[-+*/=<>^×÷]/g), step.length),
    latex_share: share(count(step, /[\\{}$]/g), step.length),
  }
}

function wordFeatures(step: string) {
  return {
    sentences: count(step, SENTENCE_END),
    lines: count(step, /\n/g),
    long_words_share: share(count(step, LONG_WORD), count(step, WORD)),
    letters: count(step, /\b[a-z]\b/gi),
    concludes: CONCLUDES.test(step) ? 1 : 0,
    says_answer: SAYS_ANSWER.test(step) ? 1 : 0,
    asks: step.includes('?') ? 1 : 0,
    ends_open: /:\s*$/.test(step) ? 1 : 0,
    negations: count(step, NEGATION),
    quantifiers: count(step, QUANTIFIER),
    reasons: count(step, REASON),
    conditions: count(step, CONDITION),
    comparatives: count(step, COMPARATIVE),
    intentions: count(step, INTENTION),
    first_person: count(step, /\b([Ww]e|I)\b/g),
  }
}

/** The number as written, without separators and signs of money or per cent; null when that is no plain number. */
function plainValue(text: string): number | null {
  const value = Number(text.replace(/[,$%]/g, ''))
  return Number.isFinite(value) ? value : null
}

/**
 * Features of the steps of one solution, taken in order: values in the order of FEATURE_NAMES, finite and not negative.
 *
 * @param problemNumbers what the reader of this solution found in the problem
 */
export function createFeatureReader(
  problem: string,
  problemNumbers: readonly Marks[number][],
): (step: string, reading: StepReading) => Float32Array {
  const ofProblem = problemFeatures(problem, [...problemNumbers])
  const problemWords = wordsOf(problem)
  const givenSlots = new Set(problemNumbers.map(number => number.slot))
  const usedSlots = new Set<number>()
  const wordsBefore = new Set<string>()
  const stepsBefore = new Set<string>()
  let slotsBefore: ReadonlySet<number> = new Set()
  let lastSlotBefore = 0
  const soFar = { steps: 0, chars: 0, operators: 0, nowhere: 0, failed: 0 }

  return (step, { numbers, evidence }) => {
    const flagged = (...flags: string[]) => numbers.filter(n => flags.includes(n.flag)).length
    const slots = new Set(numbers.map(number => number.slot))
    const last = numbers.at(-1)
    const values = numbers.flatMap(({ start, end }) => plainValue(step.slice(start, end)) ?? [])
    const newlyUsed = [...slots].filter(slot => givenSlots.has(slot) && !usedSlots.has(slot))
    for (const slot of newlyUsed) usedSlots.add(slot)
    const fromBefore = [...slots].filter(slot => slotsBefore.has(slot)).length
    const equations = evidence.filter(e => e.kind === 'equation')
    const failed = equations.some(e => e.holds === false) ? 1 : 0
    const words = wordsOf(step)
    const normal = step.trim().toLowerCase()
    soFar.steps++
    soFar.chars += step.length
    soFar.operators += count(step, /[-+*/×÷]/g)
    soFar.nowhere += flagged('nowhere')
    soFar.failed += failed

    const all: Record<FeatureName, number> = {
      ...ofProblem,
      ...notationFeatures(step),
      ...wordFeatures(step),
      chars: step.length,
      position: soFar.steps,
      chars_so_far: soFar.chars,
      operators_so_far: soFar.operators,
      numbers: numbers.length,
      given: share(flagged('given'), numbers.length),
      known: share(flagged('known'), numbers.length),
      computed: share(flagged('holds'), numbers.length),
      derived: flagged('derived'),
      nowhere: flagged('nowhere'),
      nowhere_so_far: soFar.nowhere,
      equations: equations.length,
      failed,
      failed_so_far: soFar.failed,
      last_number: last ? NUMBER_FLAGS.indexOf(last.flag) + 1 : 0,
      last_repeated: last && last.slot === lastSlotBefore ? 1 : 0,
      largest: Math.max(0, ...values.map(magnitude)),
      last_value: magnitude(values.at(-1) ?? 0),
      any_fraction: values.some(value => !Number.isInteger(value)) ? 1 : 0,
      problem_used: givenSlots.size === 0 ? 1 : usedSlots.size / givenSlots.size,
      problem_unused: givenSlots.size - usedSlots.size,
      newly_used: newlyUsed.length,
      from_step_before: fromBefore,
      from_step_before_share: share(fromBefore, slots.size),
      overlap_problem: overlap(words, problemWords),
      overlap_before: overlap(words, wordsBefore),
      repeats: stepsBefore.has(normal) ? 1 : 0,
    }
    for (const word of words) wordsBefore.add(word)
    stepsBefore.add(normal)
    slotsBefore = slots
    lastSlotBefore = last?.slot ?? 0
    return Float32Array.from(FEATURE_NAMES, name => all[name])
  }
}
