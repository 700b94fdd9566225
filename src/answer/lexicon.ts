// The words and LaTeX commands that matter around arithmetic. Lists only; knows no grammar.

/** Commands that stand for a sign the scanner knows. */
export const COMMAND_SIGNS: ReadonlyMap<string, string> = new Map([
  ['times', '*'],
  ['cdot', '*'],
  ['ast', '*'],
  ['div', '/'],
  ['approx', '≈'],
  ['simeq', '≈'],
  ['lt', '<'],
  ['gt', '<'],
  ['le', '<'],
  ['leq', '<'],
  ['ge', '<'],
  ['geq', '<'],
  ['ne', '<'],
  ['neq', '<'],
  ['begin', ';'],
  ['end', ';'],
  ['implies', ';'],
  ['Rightarrow', ';'],
  ['rightarrow', ';'],
  ['Longrightarrow', ';'],
  ['to', ';'],
])

/** Commands that only lay out; nothing is lost by not seeing them. */
export const LAYOUT_COMMANDS: ReadonlySet<string> = new Set(
  'left right big Big bigl bigr Bigl Bigr displaystyle textstyle quad qquad boxed fbox mathbf boldsymbol'.split(
    ' ',
  ),
)

/** Commands whose braces hold words. */
export const TEXT_COMMANDS: ReadonlySet<string> = new Set(
  'text textbf textit textrm mathrm mbox operatorname'.split(' '),
)

/** Words that are operators when they stand between numbers. */
export const OPERATOR_WORDS: ReadonlyMap<string, string> = new Map([
  ['times', '*'],
  ['plus', '+'],
  ['minus', '-'],
  ['equals', '='],
])

/** Words that change the value of what stands beside them in a way the checker does not follow. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  `pi sqrt sin cos tan cot sec csc log ln exp mod modulo choose factorial squared cubed root roots cube square squares
  power base average mean median gcd lcm digit digits remainder inverse reciprocal max min floor ceil half third quarter
  twice double triple thrice dozen dozens hundred thousand million billion hundreds thousands percentage fraction negative
  more less fewer divided multiplied added subtracted pair pairs score`.split(/\s+/),
)

/** Words that tie the number after them to something before: fine inside a unit, not where an expression begins. */
export const LINK_WORDS: ReadonlySet<string> = new Set('per every by over out than each'.split(' '))

/** Words after which a number is no longer ordinary arithmetic, wherever they stand before it. */
export const SOFT_WORDS: ReadonlySet<string> = new Set(
  `mod modulo remainder remainders digit digits base binary decimal hexadecimal octal clock round rounded rounding rounds
  nearest approximately about roughly approximate estimate estimated around nearly almost suppose assume contradiction
  impossible false wrong incorrect mistake not cannot isn't doesn't hundred thousand
  million billion hundreds thousands dozen dozens`.split(/\s+/),
)

/** Words of a sentence rather than of a unit: an expression does not reach over them. */
export const CLAUSE_WORDS: ReadonlySet<string> = new Set(
  `and or because so since if then is are was were has have had that this which when where but to with after before
  therefore thus hence as means gives get gets we you he she they it i will would there notice note know also equals`.split(
    /\s+/,
  ),
)

/** Factors between common units: when two sides differ by one of them, they may name the same amount. */
export const UNIT_FACTORS: ReadonlySet<number> = new Set([
  2, 3, 4, 7, 8, 10, 12, 16, 24, 30, 36, 52, 60, 100, 144, 365, 1000, 1440, 3600, 5280, 10_000, 1_000_000,
])

/** Units that may be written onto a number without a space. */
export const ATTACHED_UNITS: ReadonlySet<string> = new Set(
  'mm cm km kg mg ml mL kL mph kph lb lbs oz ft yd hr hrs min mins sec secs mi th st nd rd'.split(' '),
)
