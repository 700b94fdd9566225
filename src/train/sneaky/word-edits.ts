// Edits of prose: numbers outside equations, comparison words, names, units, claims, whole steps. None needs arithmetic.
import { equals, sub } from '../../answer/rational.ts'
import { statedAnswer } from '../problems/verify.ts'
import { CLAIM_SWAPS, PLAIN_WORDS, SWAPS, UNIT_SWAPS } from './lexicon.ts'
import { formatLike, type StepRead, splice, valuesIn, whole } from './step.ts'
import type { Draft, SneakyContext, SneakyOperator } from './types.ts'

/** Edits of the words of a step, and the two that put a neighbouring step in its place. */
export function wordEdits(step: StepRead, context: SneakyContext): Draft[] {
  return [
    ...proseNumbers(step),
    ...turnedSigns(step),
    ...swaps(step.text, SWAPS, 'swapped_words'),
    ...names(step.text, context.problem),
    ...swaps(step.text, CLAIM_SWAPS, 'false_claim'),
    ...swaps(step.text, UNIT_SWAPS, 'false_claim'),
    ...answers(step),
    ...neighbours(step, context),
  ]
}

const inEquation = (step: StepRead, start: number) =>
  step.equations.some(e => start >= e.start && start < e.end)

/** A number of the prose is exchanged for another known one of like length. */
function proseNumbers(step: StepRead): Draft[] {
  const answer = answerStart(step.text)
  return step.numbers.flatMap(number => {
    const { value } = number
    if (value === null || number.parts !== undefined) return []
    if (inEquation(step, number.start) || number.start === answer) return []
    return step.known.flatMap(other => {
      const text = formatLike(other, number.text)
      if (text === null || equals(other, value) || text.length !== number.text.length) return []
      return {
        operator: 'copied_number' as const,
        text: splice(step.text, [{ start: number.start, end: number.end, text }]),
        why: `Says ${text} where ${number.text} belongs`,
      }
    })
  })
}

/** `x = -7` as `x = 7` and back, in steps that reckon with signs. */
function turnedSigns(step: StepRead): Draft[] {
  if (!/-\d|\b[a-z]\s*=/.test(step.text)) return []
  return step.numbers.flatMap(number => {
    const { value } = number
    if (value === null || value.n === 0n || inEquation(step, number.start)) return []
    const negative = number.text.startsWith('-')
    if (!negative && !/[=:]\s*$/.test(step.text.slice(0, number.start))) return []
    const text = negative ? number.text.slice(1) : `-${number.text}`
    const to = sub(whole(0), value)
    return {
      operator: 'sign' as const,
      text: splice(step.text, [{ start: number.start, end: number.end, text }]),
      why: `Says ${text} where ${number.text} belongs`,
      ...(to === null ? {} : { changed: { from: value, to } }),
    }
  })
}

/** Every word of a list that stands in the text, exchanged once for each of its counterparts. */
function swaps(
  text: string,
  list: ReadonlyMap<string, readonly string[]>,
  operator: SneakyOperator,
): Draft[] {
  return [...text.matchAll(/[A-Za-z]+/g)].flatMap(({ 0: word, index }) =>
    (list.get(word.toLowerCase()) ?? []).map(other => {
      const put =
        word.charAt(0) === word.charAt(0).toUpperCase()
          ? other.charAt(0).toUpperCase() + other.slice(1)
          : other
      return {
        operator,
        text: splice(text, [{ start: index, end: index + word.length, text: put }]),
        why: `Says ${other} where ${word} belongs`,
      }
    }),
  )
}

/** Another name of the problem in place of the one in the step. */
function names(text: string, problem: string): Draft[] {
  const all = namesIn(problem)
  return [...text.matchAll(/\b[A-Z][a-z]+\b/g)].flatMap(({ 0: name, index }) =>
    !all.includes(name)
      ? []
      : all
          .filter(other => other !== name && Math.abs(other.length - name.length) <= 3)
          .map(other => ({
            operator: 'swapped_names' as const,
            text: splice(text, [{ start: index, end: index + name.length, text: other }]),
            why: `Says ${other} where ${name} belongs`,
          })),
  )
}

/** Capitalised words of a text that are not plain words at the start of a sentence. */
function namesIn(text: string): string[] {
  const words = [...text.matchAll(/\b[A-Z][a-z]{1,14}\b/g)].map(match => match[0])
  return [...new Set(words)].filter(
    word => !PLAIN_WORDS.has(word.toLowerCase()) && !text.includes(` ${word.toLowerCase()} `),
  )
}

function answerStart(text: string): number {
  const stated = statedAnswer(text)
  return stated === null ? -1 : text.lastIndexOf(stated)
}

/** `The answer is` one of the other numbers. */
function answers(step: StepRead): Draft[] {
  const stated = statedAnswer(step.text)
  const at = answerStart(step.text)
  const value = stated === null ? undefined : valuesIn(stated)[0]
  if (stated === null || value === undefined) return []
  const own = step.equations.flatMap(e => e.operands.map(term => term.value))
  return [...own, ...step.known].flatMap(other => {
    const text = formatLike(other, stated)
    if (text === null || equals(other, value) || Math.abs(text.length - stated.length) > 1 || other.n < 0n)
      return []
    return {
      operator: 'false_claim' as const,
      text: splice(step.text, [{ start: at, end: at + stated.length, text }]),
      why: `Gives ${text} as the answer instead of ${stated}`,
      changed: { from: value, to: other },
    }
  })
}

/** The next step before its time, and the last one once more. A step that states the answer stays. */
function neighbours(step: StepRead, context: SneakyContext): Draft[] {
  if (statedAnswer(step.text) !== null) return []
  const out: Draft[] = []
  const before = context.previous.at(-1)
  if (before !== undefined)
    out.push({ operator: 'repeated_step', text: before, why: 'Says the step before once more' })
  const result = step.equations.at(-1)?.result.value
  const { next } = context
  if (result !== undefined && next !== undefined && valuesIn(next).some(value => equals(value, result)))
    out.push({ operator: 'skipped_step', text: next, why: 'Uses a result that was not computed' })
  return out
}
