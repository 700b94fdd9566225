// Checks request bodies against the contract. Knows no Express.
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { AppError } from '../errors.ts'
import { type Contract, pointer } from './contract.ts'
import { createExplainer, type FieldError, MAX_ERRORS } from './explain.ts'

/** A body that breaks the contract, with up to `MAX_ERRORS` places. */
export class InvalidRequest extends AppError {
  readonly errors: readonly FieldError[]
  constructor(errors: readonly FieldError[]) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
    super('INVALID_REQUEST', errors.slice(0, 1).map(sentence).join('') + more)
    this.errors = errors.slice(0, MAX_ERRORS)
  }
}

/** Checks a body and fills in the contract's defaults, in place. @throws {InvalidRequest} */
export type CheckBody = (body: unknown) => void

/** A checker for each operation with a body, by operationId. */
export function bodyCheckers(contract: Contract): ReadonlyMap<string, CheckBody> {
  const ajv = new Ajv2020({ useDefaults: true, allowUnionTypes: true })
  formats.default(ajv)
  const document = withAbsoluteRefs(contract.document) as Readonly<Record<string, unknown>>
  // The document's own top-level names, so that strict mode still catches a misspelt keyword inside a schema.
  ajv.addVocabulary(Object.keys(document))
  ajv.addSchema(document, 'contract')
  const explain = createExplainer(ajv)
  const checkers = new Map<string, CheckBody>()
  for (const { operationId, path, method, body } of contract.operations) {
    if (body === 'none') continue
    const schema = {
      $ref: `contract${pointer('paths', path, method, 'requestBody', 'content', 'application/json', 'schema')}`,
    }
    const validate = ajv.compile(schema)
    checkers.set(operationId, value => {
      if (!validate(value)) throw new InvalidRequest(explain(schema, value))
    })
  }
  return checkers
}

/** The one error as a sentence part: `steps: must have at least 1 item`. */
function sentence({ path, message }: FieldError): string {
  return path === '' ? `The body ${message}` : `${path}: ${message}`
}

// So that any part of the document can be compiled on its own and still find what it refers to.
function withAbsoluteRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withAbsoluteRefs)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, `contract${inner}`]
        : [key, withAbsoluteRefs(inner)],
    ),
  )
}
