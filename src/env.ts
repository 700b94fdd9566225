// Reads single variables of an environment and says which one is wrong, never its value. Knows none by name.

/** The environment, or what a test puts in its place. */
export type Env = Readonly<Record<string, string | undefined>>

/** The value of a variable that must be one of a few words. @throws Error naming it */
export function oneOf<T extends string>(env: Env, name: string, choices: readonly T[], fallback: T): T {
  const value = env[name] || fallback
  if (!choices.includes(value as T)) throw new Error(`${name} must be one of ${choices.join(', ')}`)
  return value as T
}

/** The same for a whole number of a range, ends included. */
export function wholeNumber(env: Env, name: string, fallback: number, low: number, high: number): number {
  const value = env[name] ? Number(env[name]) : fallback
  if (!Number.isInteger(value) || value < low || value > high)
    throw new Error(`${name} must be a whole number from ${low} to ${high}`)
  return value
}

/** The same for any number of a range. */
export function numberFrom(env: Env, name: string, fallback: number, low: number, high: number): number {
  const value = env[name] ? Number(env[name]) : fallback
  if (!(value >= low && value <= high)) throw new Error(`${name} must be a number from ${low} to ${high}`)
  return value
}
