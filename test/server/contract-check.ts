// Checks an answer against openapi.yaml by operation, status and content type. Knows no server.
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { loadContract, pointer } from '../../src/server/contract.ts'
import type { OperationId } from '../../src/server/operations.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

interface MediaTypes {
  readonly [type: string]: { readonly schema: unknown }
}

interface ResponseObject {
  readonly $ref?: string
  readonly content: MediaTypes
}

const contract = loadContract()
export const document = contract.document as {
  readonly info: { readonly description: string }
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, ResponseObject> }>>
  readonly components: {
    readonly schemas: Record<string, Record<string, unknown>>
    readonly responses: Record<string, ResponseObject>
  }
}
export const { operations } = contract
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })
formats.default(ajv)
ajv.addVocabulary(Object.keys(document))
ajv.addSchema(close(document) as object, 'closed')

/** Asserts that the status and content type are declared and that a JSON body is what the contract says, no field more. */
export function assertContract(answer: Answer, operationId: OperationId): void {
  const operation = operations.find(candidate => candidate.operationId === operationId)
  assert.ok(operation, `no operation ${operationId}`)
  assert.ok(answer.headers['x-request-id'], 'X-Request-Id')
  const at = ['paths', operation.path, operation.method, 'responses']
  const declared = document.paths[operation.path]?.[operation.method]?.responses ?? {}
  const status = String(answer.status) in declared ? String(answer.status) : 'default'
  assert.ok(status !== 'default' || answer.status >= 500, `${operationId} does not declare ${answer.status}`)
  const name = declared[status]?.$ref?.split('/').at(-1)
  const [response, place] =
    name === undefined
      ? [declared[status], [...at, status]]
      : [document.components.responses[name], ['components', 'responses', name]]
  const type = answer.headers['content-type']?.split(';')[0] ?? ''
  assert.ok(response?.content[type], `${operationId} ${answer.status} does not declare ${type}`)
  if (!/[/+]json$/.test(type)) return
  assertMatches(
    validator(...place, 'content', type, 'schema'),
    JSON.parse(answer.text),
    `${operationId} ${answer.status}`,
  )
}

/** A validator for the schema at that place of the document, which takes no field that is not named. */
export function validator(...place: readonly string[]): ValidateFunction {
  return ajv.compile({ $ref: `closed${pointer(...place)}` })
}

export function assertMatches(validate: ValidateFunction, value: unknown, what: string): void {
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`)
}

// In answers the contract leaves objects open, so that clients tolerate new fields; a test wants to see every field named.
function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close)
  if (typeof value !== 'object' || value === null) return value
  const closed = Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' ? [key, `closed${inner}`] : [key, key === 'examples' ? inner : close(inner)],
    ),
  )
  const isOpenObject = closed.type === 'object' && closed.properties && !('additionalProperties' in closed)
  return isOpenObject ? { ...closed, additionalProperties: false } : closed
}
