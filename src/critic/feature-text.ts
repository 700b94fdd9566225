// Hand features that the text alone shows: what can be counted in a problem or a step by itself. Knows no earlier step and no
// reading of numbers.

const WORD = /\p{L}{3,}/gu
const LONG_WORD = /\p{L}{7,}/gu
const SENTENCE_END = /[.?!](?=\s|$)/g
const CONCLUDES = /^\W*(so|therefore|thus|hence|finally|in total|in conclusion)\b/i
/** Says that something follows, wherever in the step. */
const FOLLOWS = /\b(therefore|thus|hence|finally|in total|in conclusion|so,)/i
const SAYS_ANSWER = /\\boxed|####|answer\s*(is|:)|# answer/i
const NEGATION = /\b(not|no|never|cannot|can't|none)\b/gi
const QUANTIFIER = /\b(all|every|each|any|always|only|must)\b/gi
const REASON = /\b(because|since|as|due)\b/gi
const CONDITION = /\b(if|when|then)\b/gi
const COMPARATIVE = /\b(more|less|fewer|than|difference|remaining|left)\b/gi
const HEDGE = /\b(may|might|could|probably|likely|possibl\w*|seems?|perhaps|usually|generally|typically)\b/gi
const APPROXIMATION = /\\approx|≈|\bapproximat\w*|\bround(ed|ing|s)?\b/gi
const DOUBT =
  /\b(however|but|wait|mistaken?|incorrect|wrong|re-?evaluat\w*|assum\w*|interpret\w*|impl(y|ies))\b/gi
const INTENTION = /\b(need|find|calculate|determine|know|given)\b/gi

export const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
export const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)
export const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(WORD) ?? [])
/** Letters that stand alone: mostly variables. */
export const lettersOf = (text: string): string[] => text.match(/\b[a-z]\b/gi) ?? []

/** What the problem alone says, the same for every step. */
export function problemFeatures(problem: string) {
  return {
    problem_words: count(problem, /\p{L}{2,}/gu),
    problem_sentences: count(problem, SENTENCE_END),
    problem_latex: count(problem, /\\/g),
    problem_percents: count(problem, /%|percent/g),
  }
}

/** Characters before the first digit; as far as any knot reaches when there is none. */
function firstDigitAt(step: string): number {
  const at = step.search(/\d/)
  return at < 0 ? 500 : Math.min(500, at)
}

export function notationFeatures(step: string) {
  const operators = {
    plus: count(step, /\+/g),
    minus: count(step, /-/g),
    times: count(step, /[*×]|\\times|\\cdot/g),
    divided: count(step, /[/÷]|\\frac|\\div/g),
  }
  return {
    ...operators,
    operator_kinds: Object.values(operators).filter(n => n > 0).length,
    brackets: count(step, /[()]/g),
    longest_number: Math.max(0, ...(step.match(/\d+/g) ?? []).map(digits => digits.length)),
    first_digit_at: firstDigitAt(step),
    equals: count(step, /=/g),
    powers: count(step, /\^|\\sqrt/g),
    comparisons: count(step, /[<>≤≥]|\\le|\\ge/g),
    digits_share: share(count(step, /\d/g), step.length),
    operators_share: share(count(step, /[-+*/=<>^×÷]/g), step.length),
    latex_share: share(count(step, /[\\{}$]/g), step.length),
  }
}

export function wordFeatures(step: string) {
  const sentences = count(step, SENTENCE_END)
  const concludes = CONCLUDES.test(step)
  const saysAnswer = SAYS_ANSWER.test(step)
  return {
    chars: step.length,
    sentences,
    sentence_chars: step.length / Math.max(1, sentences),
    capitals: count(step, /\p{Lu}/gu),
    hedges: count(step, HEDGE),
    lines: count(step, /\n/g),
    long_words_share: share(count(step, LONG_WORD), count(step, WORD)),
    letters: lettersOf(step).length,
    concludes: concludes ? 1 : 0,
    says_answer: saysAnswer ? 1 : 0,
    closes: concludes || saysAnswer || FOLLOWS.test(step) ? 1 : 0,
    asks: step.includes('?') ? 1 : 0,
    ends_open: /:\s*$/.test(step) ? 1 : 0,
    negations: count(step, NEGATION),
    quantifiers: count(step, QUANTIFIER),
    reasons: count(step, REASON),
    conditions: count(step, CONDITION),
    comparatives: count(step, COMPARATIVE),
    intentions: count(step, INTENTION),
    approximations: count(step, APPROXIMATION),
    doubts: count(step, DOUBT),
    first_person: count(step, /\b([Ww]e|I)\b/g),
  }
}
