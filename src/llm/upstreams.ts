// Reads the named upstreams from the environment. Makes no connection and knows no other setting.
import { isHeaderSafe } from './post.ts'
import type { ContinuationMode, StreamWish } from './types.ts'

/** A named upstream; goes into `createOpenAiLlm` as it is. */
export interface UpstreamConfig {
  /** Lower case. */
  readonly name: string
  readonly baseUrl: string
  readonly model: string
  readonly apiKey?: string
  readonly continuation?: ContinuationMode | 'auto'
  readonly stream?: StreamWish
  /** Each in milliseconds, as in target.ts. */
  readonly connectTimeoutMs?: number
  readonly firstTokenTimeoutMs?: number
  readonly timeoutMs?: number
  /** Calls at the same time. */
  readonly concurrency?: number
}

/** The name of the built-in solver; no named upstream may take it. */
export const BUILTIN_UPSTREAM = 'builtin'

/** The name of the GGUF file that runs in process; no named upstream may take it. */
export const GGUF_UPSTREAM = 'gguf'

const TAKEN: Readonly<Record<string, string>> = {
  [BUILTIN_UPSTREAM]: 'the built-in solver',
  [GGUF_UPSTREAM]: 'the GGUF file in SPAR_GGUF',
}

const VARIABLE =
  /^SPAR_LLM_([A-Za-z0-9_]+)_(URL|MODEL|KEY|CONTINUATION|STREAM|CONNECT_S|FIRST_TOKEN_S|TIMEOUT_S|CONCURRENCY)$/

const CONTINUATIONS: readonly string[] = [
  'auto',
  'continue_final_message',
  'prefix',
  'assistant_prefill',
  'prompted',
] satisfies readonly (ContinuationMode | 'auto')[]

const STREAM_WISHES: readonly string[] = ['auto', 'on', 'off'] satisfies readonly StreamWish[]

/**
 * Named upstreams from `SPAR_LLM_<NAME>_URL`, `_MODEL` and the other variables of `VARIABLE`, by lower-case name. Empty counts as unset.
 * @throws {Error} for the operator at start: names the variable, never its value.
 */
export function parseUpstreams(
  env: Readonly<Record<string, string | undefined>>,
): Map<string, UpstreamConfig> {
  const groups = new Map<string, Map<string, { variable: string; value: string }>>()
  for (const [variable, raw] of Object.entries(env)) {
    const match = VARIABLE.exec(variable)
    const value = raw?.trim()
    if (match === null || !value) continue
    const name = match[1]!.toLowerCase()
    const group = groups.get(name) ?? new Map()
    const twin = group.get(match[2]!)
    if (twin) throw new Error(`${twin.variable} and ${variable} name the same upstream; keep one.`)
    groups.set(name, group.set(match[2]!, { variable, value }))
  }
  const upstreams = new Map<string, UpstreamConfig>()
  for (const [name, group] of groups) upstreams.set(name, readUpstream(name, group))
  return upstreams
}

function readUpstream(
  name: string,
  group: ReadonlyMap<string, { variable: string; value: string }>,
): UpstreamConfig {
  const prefix = `SPAR_LLM_${name.toUpperCase()}`
  if (Object.hasOwn(TAKEN, name)) {
    throw new Error(`${prefix}_*: the name "${name}" belongs to ${TAKEN[name]}; take another.`)
  }
  const baseUrl = group.get('URL')?.value
  const model = group.get('MODEL')?.value
  const apiKey = group.get('KEY')?.value
  const continuation = group.get('CONTINUATION')?.value
  const given = group.values().next().value?.variable
  if (baseUrl === undefined) throw new Error(`${given} is set, but ${prefix}_URL is not.`)
  if (model === undefined) throw new Error(`${given} is set, but ${prefix}_MODEL is not.`)
  checkUrl(baseUrl, `${prefix}_URL`)
  if (apiKey !== undefined && !isHeaderSafe(apiKey)) {
    throw new Error(`${prefix}_KEY holds a character that cannot stand in an HTTP header.`)
  }
  if (continuation !== undefined && !CONTINUATIONS.includes(continuation)) {
    throw new Error(`${prefix}_CONTINUATION must be one of ${CONTINUATIONS.join(', ')}.`)
  }
  const stream = group.get('STREAM')?.value
  if (stream !== undefined && !STREAM_WISHES.includes(stream)) {
    throw new Error(`${prefix}_STREAM must be one of ${STREAM_WISHES.join(', ')}.`)
  }
  const seconds = (name: string, key: string) => {
    const count = readCount(group.get(name)?.value, `${prefix}_${name}`, 86_400)
    return count === undefined ? {} : { [key]: count * 1000 }
  }
  const concurrency = readCount(group.get('CONCURRENCY')?.value, `${prefix}_CONCURRENCY`, 100_000)
  return {
    name,
    baseUrl,
    model,
    ...seconds('CONNECT_S', 'connectTimeoutMs'),
    ...seconds('FIRST_TOKEN_S', 'firstTokenTimeoutMs'),
    ...seconds('TIMEOUT_S', 'timeoutMs'),
    ...(stream === undefined ? {} : { stream: stream as StreamWish }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(continuation === undefined ? {} : { continuation: continuation as ContinuationMode | 'auto' }),
  }
}

function readCount(text: string | undefined, variable: string, most: number): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new Error(`${variable} must be a whole number from 1 to ${most}.`)
}

function checkUrl(text: string, variable: string): void {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error(`${variable} is not an http or https URL.`)
  if (url.username !== '' || url.password !== '') {
    throw new Error(`${variable} must not hold credentials; put the key into its _KEY variable.`)
  }
}
