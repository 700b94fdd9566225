// Reads the fields of a JSON object that an operator wrote: each by its type and bounds, none left over. Knows no meaning.

/** A mistake in a file of the operator's. The message names the place and never repeats what stands there. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
}

export interface Fields {
  text(name: string, fallback?: string): string
  optionalText(name: string): string | undefined
  /** A number from `low` to `high`. */
  number(name: string, bounds: { low: number; high: number; whole?: boolean; fallback?: number }): number
  flag(name: string): boolean
  oneOf<T extends string>(name: string, choices: readonly T[], fallback?: T): T
  /** The objects of a list; none where the field is left out. */
  list(name: string): Fields[]
  texts(name: string): string[]
  /** The error for a field that breaks a rule of its own: `<place>.<name> must be <what>.` */
  refuse(name: string, what: string): FieldError
  /** @throws {FieldError} for a field that none of the others read */
  end(): void
}

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x)

/** @param place how messages name the object, e.g. `critics.qwen` */
export function readFields(value: unknown, place: string): Fields {
  if (!isObject(value)) throw new FieldError(`${place} must be an object.`)
  const seen = new Set<string>()
  const refuse = (name: string, what: string) => new FieldError(`${place}.${name} must be ${what}.`)

  function get(name: string): unknown {
    seen.add(name)
    return Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined
  }

  function listOf(name: string): unknown[] {
    const given = get(name) ?? []
    if (!Array.isArray(given)) throw refuse(name, 'a list')
    return given
  }

  const fields: Fields = {
    refuse,
    optionalText(name) {
      const given = get(name)
      if (given === undefined) return undefined
      if (typeof given !== 'string' || given.trim() === '') throw refuse(name, 'a text')
      return given
    },
    text(name, fallback) {
      const given = fields.optionalText(name) ?? fallback
      if (given === undefined) throw refuse(name, 'a text')
      return given
    },
    number(name, { low, high, whole = false, fallback }) {
      const given = get(name) ?? fallback
      const isIn = typeof given === 'number' && given >= low && given <= high
      if (!isIn || (whole && !Number.isInteger(given)))
        throw refuse(name, `a ${whole ? 'whole ' : ''}number from ${low} to ${high}`)
      return given
    },
    flag(name) {
      const given = get(name)
      if (typeof given !== 'boolean') throw refuse(name, 'true or false')
      return given
    },
    oneOf(name, choices, fallback) {
      const given = get(name) ?? fallback
      const choice = choices.find(each => each === given)
      if (choice === undefined) throw refuse(name, `one of ${choices.join(', ')}`)
      return choice
    },
    list: name => listOf(name).map((each, i) => readFields(each, `${place}.${name}[${i}]`)),
    texts(name) {
      const given = listOf(name)
      if (given.length === 0 || !given.every(each => typeof each === 'string'))
        throw refuse(name, 'a list of texts, one at least')
      return given as string[]
    },
    end() {
      const extra = Object.keys(value).find(name => !seen.has(name))
      if (extra !== undefined)
        throw new FieldError(
          `${place} has a field that means nothing here; it takes ${[...seen].join(', ')}.`,
        )
    },
  }
  return fields
}
