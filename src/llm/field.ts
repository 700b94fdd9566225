// Reads a property of JSON that may be anything. Pure.

/** `value[key]` where `value` is an object that has it itself; else undefined. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}
