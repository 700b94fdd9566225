// Reads openapi.yaml: its text, its document, and a flat list of operations. Knows no Express and no validator.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const CONTRACT_PATH = fileURLToPath(new URL('../../openapi.yaml', import.meta.url))

export interface ContractOperation {
  readonly operationId: string
  /** As in the contract, e.g. `/admin/jobs/{id}`. */
  readonly path: string
  /** Lower case. */
  readonly method: string
  readonly admin: boolean
  /** `none` where the contract has no request body. */
  readonly body: 'required' | 'optional' | 'none'
}

export interface Contract {
  readonly text: string
  readonly document: Readonly<Record<string, unknown>>
  readonly operations: readonly ContractOperation[]
}

interface OperationObject {
  readonly operationId: string
  readonly security?: readonly object[]
  readonly requestBody?: { readonly required?: boolean }
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch'])

/** Loads the contract that lies beside the source. */
export function loadContract(): Contract {
  const text = readFileSync(CONTRACT_PATH, 'utf8')
  const document = parse(text) as { paths: Record<string, Record<string, OperationObject>> }
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.has(method))
      .map(([method, { operationId, security = [], requestBody }]) => ({
        operationId,
        path,
        method,
        admin: security.length > 0,
        body: bodyNeed(requestBody),
      })),
  )
  return { text, document, operations }
}

/** Characters a problem may have, as `ProblemText` says. */
export function maxProblemLength({ document }: Contract): number {
  const { components } = document as { components: { schemas: { ProblemText: { maxLength: number } } } }
  return components.schemas.ProblemText.maxLength
}

/** Where a schema of the contract lies, as a JSON pointer in a URI fragment (RFC 6901 §6). */
export function pointer(...keys: readonly string[]): string {
  return `#/${keys.map(key => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
}

function bodyNeed(body: OperationObject['requestBody']): ContractOperation['body'] {
  if (body === undefined) return 'none'
  return body.required ? 'required' : 'optional'
}
