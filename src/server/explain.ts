// Says in plain words where a value breaks a schema. Walks schema and value together, because a validator's list of errors
// is a wall for `oneOf` and, with all errors on, as long as the client cares to make it. Knows no HTTP.
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'

/** Most places that are named. */
export const MAX_ERRORS = 10

const UNEXPLAINED = 'does not match the contract'

export interface FieldError {
  /** As in `items[2].steps[0]`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

/** The part of JSON Schema 2020-12 that the contract's requests use; other keywords are left to the validator. */
interface Schema {
  readonly $ref?: string
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: unknown
  readonly items?: Schema
  readonly default?: unknown
}

/** Up to `MAX_ERRORS` places where a value that does not match `schema` breaks it; never empty. */
export type Explain = (schema: Schema, value: unknown) => FieldError[]

/** What the walk asks the validator. */
interface Checks {
  /** The schema a `$ref` leads to. */
  readonly resolve: (schema: Schema) => Schema
  /** Compiles what a node itself demands, its children left aside; once for each node. */
  readonly own: (schema: Schema) => ValidateFunction
}

/** Explains by the schemas that `ajv` knows. */
export function createExplainer(ajv: Ajv): Explain {
  const compiled = new WeakMap<Schema, ValidateFunction>()
  const checks: Checks = {
    resolve(schema) {
      const target: unknown = schema.$ref === undefined ? undefined : ajv.getSchema(schema.$ref)?.schema
      return isObject(target) ? checks.resolve(target as Schema) : schema
    },
    own(schema) {
      const validate = compiled.get(schema) ?? ajv.compile(withoutChildren(schema))
      compiled.set(schema, validate)
      return validate
    },
  }
  return function explain(schema, value) {
    const errors: FieldError[] = []
    for (const error of breaks(checks, schema, value, '')) {
      errors.push(error)
      if (errors.length === MAX_ERRORS) break
    }
    return errors.length > 0 ? errors : [{ path: '', message: UNEXPLAINED }]
  }
}

// A generator, so that a hostile body is not read further than the last error that is named.
function* breaks(checks: Checks, given: Schema, value: unknown, path: string): Generator<FieldError> {
  const schema = checks.resolve(given)
  if (schema.oneOf !== undefined) {
    yield* breaksOfChoice(checks, schema.oneOf, value, path)
  } else if (isObject(value) && schema.properties !== undefined) {
    yield* nameBreaks(schema, schema.properties, value, path)
    for (const [name, child] of Object.entries(schema.properties))
      if (Object.hasOwn(value, name)) yield* breaks(checks, child, value[name], join(path, name))
    yield* ownBreaks(checks, schema, value, path)
  } else {
    const own = [...ownBreaks(checks, schema, value, path)]
    yield* own
    // A list that is too long is not read to its end.
    if (own.length > 0 || !Array.isArray(value) || schema.items === undefined) return
    for (const [index, item] of value.entries())
      yield* breaks(checks, schema.items, item, `${path}[${index}]`)
  }
}

function* ownBreaks(checks: Checks, schema: Schema, value: unknown, path: string): Generator<FieldError> {
  const validate = checks.own(schema)
  if (!validate(value)) yield { path, message: inWords(validate.errors?.[0], schema) }
}

function* nameBreaks(
  schema: Schema,
  known: Readonly<Record<string, Schema>>,
  value: object,
  path: string,
): Generator<FieldError> {
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name)) yield { path: join(path, name), message: 'is required' }
  if (schema.additionalProperties !== false) return
  for (const name of Object.keys(value))
    if (!Object.hasOwn(known, name))
      yield { path: join(path, name.slice(0, 40)), message: 'is not a field of this request' }
}

// The forms of a request differ in a required field that only one of them has: that field says which one is meant.
function* breaksOfChoice(
  checks: Checks,
  forms: readonly Schema[],
  value: unknown,
  path: string,
): Generator<FieldError> {
  if (!isObject(value)) {
    yield { path, message: 'must be an object' }
    return
  }
  const choices = forms.map(form => checks.resolve(form))
  const marks = choices.map(form =>
    (form.required ?? []).filter(name =>
      choices.every(other => other === form || !other.required?.includes(name)),
    ),
  )
  const meant = choices.filter((_, i) => marks[i]?.some(name => Object.hasOwn(value, name)))
  const [form] = meant
  if (form !== undefined && meant.length === 1) yield* breaks(checks, form, value, path)
  else {
    const names = marks.map(mark => mark[0]).join(', ')
    yield { path, message: `must have ${form === undefined ? 'one' : 'only one'} of: ${names}` }
  }
}

const CHILD_KEYWORDS = new Set(['properties', 'items', 'required', 'additionalProperties', 'default'])

function withoutChildren(schema: Schema): object {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !CHILD_KEYWORDS.has(keyword)))
}

function inWords(error: ErrorObject | undefined, schema: Schema): string {
  if (error === undefined) return UNEXPLAINED
  const { keyword, params } = error
  const limit = Number(params.limit).toLocaleString('en-US')
  const items = params.limit === 1 ? 'item' : 'items'
  switch (keyword) {
    case 'type':
      return `must be ${[params.type].flat().map(withArticle).join(' or ')}`
    case 'minItems':
      return `must have at least ${limit} ${items}`
    case 'maxItems':
      return `must have at most ${limit} ${items}`
    case 'minLength':
      return 'must not be empty'
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'pattern':
      return params.pattern === '\\S' ? 'must not be blank' : `must match ${params.pattern}`
    case 'enum':
      return `must be one of: ${params.allowedValues.join(', ')}`
    case 'minProperties': {
      const optional = Object.keys(schema.properties ?? {}).filter(name => !schema.required?.includes(name))
      return `must also have one of: ${optional.join(', ')}`
    }
    default:
      return error.message ?? UNEXPLAINED
  }
}

function withArticle(type: string): string {
  if (type === 'null') return type
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
