// Kinds of mistakes a language model is asked to make, as SPC's sneaky generator is (arXiv 2504.19162). A word list.

/** The order is that of every policy array over them; new ones go to the end. */
export const ERROR_TYPES = {
  calculation: 'a slip in a calculation, with a result that looks plausible',
  misread: 'a condition of the problem taken for another one than it is',
  operation: 'a wrong operation, formula or rule in place of the right one, calculated correctly',
  copied: 'a number taken over wrongly from the problem or from a step before',
  logic: 'a conclusion that does not follow from what was found before',
  unit: 'a quantity, a unit or a percentage mixed up with another one',
  skipped: 'a part that is needed left out, as if it had been done',
} as const

export type ErrorType = keyof typeof ERROR_TYPES
export const ERROR_NAMES = Object.keys(ERROR_TYPES) as ErrorType[]
