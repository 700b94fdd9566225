// Computes the hand features of a step: what can be counted about it without a model. Each depends on the problem and the
// steps up to this one only (causal). Knows no tokens and not how values become inputs.
import { createReader, NUMBER_FLAGS, type StepReading } from '../answer/reader.ts'
import {
  count,
  lettersOf,
  notationFeatures,
  problemFeatures,
  share,
  wordFeatures,
  wordsOf,
} from './feature-text.ts'
import { FEATURE_NAMES, type FeatureName } from './features.ts'
import type { CritiqueItem } from './types.ts'

type Values = Record<FeatureName, number>

/** Marks of the numbers of a text; `slot` is the same for the same value. */
type Marks = StepReading['numbers']

function overlap(words: ReadonlySet<string>, seen: ReadonlySet<string>): number {
  let shared = 0
  for (const word of words) if (seen.has(word)) shared++
  return share(shared, words.size)
}

/** The number as written, without separators and signs of money or per cent; null when that is no plain number. */
function plainValue(text: string): number | null {
  const value = Number(text.replace(/[,$%]/g, ''))
  return Number.isFinite(value) ? value : null
}

const isFraction = (value: number): boolean => !Number.isInteger(value)
const magnitude = (value: number): number => Math.log1p(Math.abs(value))

/** In [0, 8]: how much larger a value is than the one before, on a scale of logarithms; 4 when equal, or when there is none. */
function growth(value: number | undefined, before: number | undefined): number {
  if (value === undefined || before === undefined) return 4
  return Math.min(8, Math.max(0, 4 + magnitude(value) - magnitude(before)))
}

const PLACES = new Map(FEATURE_NAMES.map((name, i) => [name, i]))

/** The values of some groups in the order of FEATURE_NAMES. One object of all is a slow one: it has too many properties. */
function inOrder(...groups: readonly Partial<Values>[]): Float32Array {
  const values = new Float32Array(FEATURE_NAMES.length)
  for (const group of groups)
    for (const name in group) values[PLACES.get(name as FeatureName)!] = group[name as FeatureName]!
  return values
}

/** Computes the features of the steps of one solution, taken in order. */
export interface FeatureReader {
  /** Values in the order of FEATURE_NAMES, finite and not negative. */
  read(step: string, reading: StepReading): Float32Array
  /** A reader of its own for another solution that begins as this one does so far. */
  fork(): FeatureReader
}

/** What of a problem its steps are measured by. */
interface Given {
  readonly ofProblem: ReturnType<typeof problemFeatures> & { problem_numbers: number }
  readonly problemWords: ReadonlySet<string>
  readonly givenSlots: ReadonlySet<number>
}

/** What is remembered of the steps so far. */
interface Past {
  readonly usedSlots: Set<number>
  readonly statedSlots: Set<number>
  readonly wordsBefore: Set<string>
  readonly letters: Set<string>
  readonly stepsBefore: Set<string>
  readonly soFar: Record<
    'steps' | 'chars' | 'operators' | 'nowhere' | 'failed' | 'sinceGiven' | 'approximations' | 'doubts',
    number
  >
  before: {
    readonly slots: ReadonlySet<number>
    readonly lastSlot: number
    readonly lastValue?: number | undefined
    readonly chars: number
  }
}

const copyOf = (past: Past): Past => ({
  usedSlots: new Set(past.usedSlots),
  statedSlots: new Set(past.statedSlots),
  wordsBefore: new Set(past.wordsBefore),
  letters: new Set(past.letters),
  stepsBefore: new Set(past.stepsBefore),
  soFar: { ...past.soFar },
  before: past.before,
})

/** @param problemNumbers what the reader of this solution found in the problem */
export function createFeatureReader(
  problem: string,
  problemNumbers: readonly Marks[number][],
): FeatureReader {
  const given = {
    ofProblem: { ...problemFeatures(problem), problem_numbers: problemNumbers.length },
    problemWords: wordsOf(problem),
    givenSlots: new Set(problemNumbers.map(number => number.slot)),
  }
  return readerAfter(given, {
    usedSlots: new Set(),
    statedSlots: new Set(),
    wordsBefore: new Set(),
    letters: new Set(lettersOf(problem)),
    stepsBefore: new Set(),
    soFar: {
      steps: 0,
      chars: 0,
      operators: 0,
      nowhere: 0,
      failed: 0,
      sinceGiven: 0,
      approximations: 0,
      doubts: 0,
    },
    before: { slots: new Set(), lastSlot: 0, chars: 0 },
  })
}

function readerAfter(given: Given, past: Past): FeatureReader {
  const { ofProblem, problemWords, givenSlots } = given
  const { usedSlots, statedSlots, wordsBefore, letters, stepsBefore, soFar } = past

  function read(step: string, { numbers, evidence }: StepReading): Float32Array {
    const { before } = past
    const flagged = (...flags: string[]) => numbers.filter(n => flags.includes(n.flag)).length
    const slots = new Set(numbers.map(number => number.slot))
    const last = numbers.at(-1)
    const values = numbers.flatMap(({ start, end }) => plainValue(step.slice(start, end)) ?? [])
    const newlyUsed = [...slots].filter(slot => givenSlots.has(slot) && !usedSlots.has(slot))
    for (const slot of newlyUsed) usedSlots.add(slot)
    const fromBefore = [...slots].filter(slot => before.slots.has(slot)).length
    const equations = evidence.filter(e => e.kind === 'equation')
    const failed = equations.some(e => e.holds === false) ? 1 : 0
    const words = wordsOf(step)
    const ofNotation = notationFeatures(step)
    const { approximations, doubts, ...ofWords } = wordFeatures(step)
    const newLetters = new Set(lettersOf(step).filter(letter => !letters.has(letter)))
    const normal = step.trim().toLowerCase()
    const problemUsed = givenSlots.size === 0 ? 1 : usedSlots.size / givenSlots.size
    soFar.steps++
    soFar.chars += step.length
    soFar.operators += count(step, /[-+*/×÷]/g)
    soFar.nowhere += flagged('nowhere')
    soFar.failed += failed
    soFar.approximations += approximations
    soFar.doubts += doubts
    soFar.sinceGiven = newlyUsed.length > 0 ? 0 : soFar.sinceGiven + 1

    const ofStep: Omit<Values, keyof typeof ofProblem | keyof typeof ofNotation | keyof typeof ofWords> = {
      position: soFar.steps,
      chars_so_far: soFar.chars,
      chars_before: before.chars,
      length_ratio: before.chars === 0 ? 1 : step.length / before.chars,
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
      last_repeated: last && last.slot === before.lastSlot ? 1 : 0,
      largest: Math.max(0, ...values.map(magnitude)),
      last_value: magnitude(values.at(-1) ?? 0),
      growth: growth(values.at(-1), before.lastValue),
      any_fraction: values.some(isFraction) ? 1 : 0,
      last_fraction: values.slice(-1).some(isFraction) ? 1 : 0,
      approximations_so_far: soFar.approximations,
      doubts_so_far: soFar.doubts,
      problem_used: problemUsed,
      problem_unused: givenSlots.size - usedSlots.size,
      problem_used_at_end: ofWords.concludes || ofWords.says_answer ? problemUsed : 0.5,
      newly_used: newlyUsed.length,
      steps_since_given: soFar.sinceGiven,
      from_step_before: fromBefore,
      from_step_before_share: share(fromBefore, slots.size),
      repeated_values: numbers.filter(({ slot }) => statedSlots.has(slot)).length,
      overlap_problem: overlap(words, problemWords),
      overlap_before: overlap(words, wordsBefore),
      new_words: [...words].filter(word => !problemWords.has(word) && !wordsBefore.has(word)).length,
      new_letters: newLetters.size,
      repeats: stepsBefore.has(normal) ? 1 : 0,
    }
    for (const word of words) wordsBefore.add(word)
    for (const letter of newLetters) letters.add(letter)
    for (const slot of slots) statedSlots.add(slot)
    stepsBefore.add(normal)
    past.before = {
      slots,
      lastSlot: last?.slot ?? 0,
      lastValue: values.at(-1) ?? before.lastValue,
      chars: step.length,
    }
    return inOrder(ofProblem, ofNotation, ofWords, ofStep)
  }

  return { read, fork: () => readerAfter(given, copyOf(past)) }
}

/** Features of every step of an item, see `createFeatureReader`. */
export function readFeatures({ problem, steps }: CritiqueItem): Float32Array[] {
  const reader = createReader(problem)
  const features = createFeatureReader(problem, reader.problemNumbers)
  return steps.map(step => features.read(step, reader.read(step)))
}
