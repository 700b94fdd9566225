// Reads the operator's file of further critics: their names, kinds and options. Makes no connection.
import type { JudgedExample } from '../critic/types.ts'
import { isHeaderSafe } from '../llm/post.ts'
import { FieldError, type Fields, readFields } from './fields.ts'
import { QWEN_PRM, SEPARATOR } from './prm-prompt.ts'
import type { PrmValues } from './prm-reply.ts'

/** What every endpoint of a critic has. */
interface RemoteSpec {
  readonly threshold: number
  readonly deadlineMs: number
  readonly concurrency: number
}

interface VllmSpec extends RemoteSpec {
  readonly kind: 'vllm'
  readonly url: string
  readonly model: string
  readonly apiKey: string | undefined
  readonly separator: string
  readonly system: string
  readonly values: PrmValues
  readonly batch: number
}

interface GenerativeSpec extends RemoteSpec {
  readonly kind: 'generative'
  /** Name of an LLM upstream. */
  readonly upstream: string
  readonly samples: number
  readonly temperature: number
  readonly maxTokens: number
  readonly examples: readonly JudgedExample[]
}

interface EnsembleSpec {
  readonly kind: 'ensemble'
  readonly threshold: number
  readonly bias: number
  readonly members: readonly { readonly critic: string; readonly weight: number }[]
}

export type CriticSpec = VllmSpec | GenerativeSpec | EnsembleSpec
type Env = Readonly<Record<string, string | undefined>>

/** Stands for the critic of this service's own that serves, where a critic is named in the file. */
export const LOCAL = 'local'
const NAME = /^[a-z][a-z0-9_-]{0,63}$/
const MAX_EXAMPLES = 32

/**
 * Critics by name from the text of a JSON file: `{"<name>": {"kind": …, …}, …}`. Keys of endpoints are not in it: `key_env`
 * names the environment variable that holds one.
 * @throws {FieldError} naming the place that is wrong, never what stands there
 */
export function parseCriticSpecs(text: string, env: Env): Map<string, CriticSpec> {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new FieldError('it is not JSON.')
  }
  const specs = new Map<string, CriticSpec>()
  if (typeof file !== 'object' || file === null || Array.isArray(file))
    throw new FieldError('it must be one object, with a critic for each name.')
  for (const [name, value] of Object.entries(file)) {
    if (!NAME.test(name) || name === LOCAL || name === 'default')
      throw new FieldError(
        'a name must have 1 to 64 characters of a-z 0-9 _ -, begin with a letter, and be neither "default" nor "local".',
      )
    const fields = readFields(value, name)
    specs.set(name, readSpec(fields, env))
    fields.end()
  }
  checkMembers(specs)
  return specs
}

function readSpec(fields: Fields, env: Env): CriticSpec {
  switch (fields.oneOf('kind', ['vllm', 'generative', 'ensemble'])) {
    case 'vllm':
      return readVllm(fields, env)
    case 'generative':
      return readGenerative(fields)
    case 'ensemble':
      return readEnsemble(fields)
  }
}

const threshold = (fields: Fields): number => fields.number('threshold', { low: 0, high: 1, fallback: 0.5 })

function readRemote(fields: Fields, defaults: { deadlineMs: number; concurrency: number }): RemoteSpec {
  return {
    threshold: threshold(fields),
    deadlineMs: fields.number('deadline_ms', {
      low: 1,
      high: 3_600_000,
      whole: true,
      fallback: defaults.deadlineMs,
    }),
    concurrency: fields.number('concurrency', {
      low: 1,
      high: 1024,
      whole: true,
      fallback: defaults.concurrency,
    }),
  }
}

function readVllm(fields: Fields, env: Env): VllmSpec {
  const separator = fields.text('separator', QWEN_PRM.separator)
  if (!SEPARATOR.test(separator)) throw fields.refuse('separator', 'a token of the form <name>')
  const url = fields.text('url')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || new URL(url).username !== '')
    throw fields.refuse('url', 'an http or https address without credentials')
  return {
    kind: 'vllm',
    ...readRemote(fields, { deadlineMs: 60_000, concurrency: 8 }),
    url,
    model: fields.text('model'),
    apiKey: readKey(fields, env),
    separator,
    system: fields.text('system', QWEN_PRM.system),
    values: fields.oneOf('values', ['auto', 'probabilities', 'logits'], 'auto'),
    batch: fields.number('batch', { low: 1, high: 256, whole: true, fallback: 16 }),
  }
}

function readKey(fields: Fields, env: Env): string | undefined {
  const variable = fields.optionalText('key_env')
  if (variable === undefined) return undefined
  const key = env[variable]?.trim()
  if (!key || !isHeaderSafe(key))
    throw fields.refuse('key_env', 'the name of an environment variable that holds a key')
  return key
}

function readGenerative(fields: Fields): GenerativeSpec {
  const samples = fields.number('samples', { low: 1, high: 64, whole: true, fallback: 4 })
  const examples = fields.list('examples').map(readExample)
  if (examples.length > MAX_EXAMPLES) throw fields.refuse('examples', `at most ${MAX_EXAMPLES}`)
  return {
    kind: 'generative',
    ...readRemote(fields, { deadlineMs: 120_000, concurrency: 16 }),
    upstream: fields.text('upstream').toLowerCase(),
    samples,
    temperature: fields.number('temperature', { low: 0, high: 2, fallback: samples === 1 ? 0 : 0.7 }),
    maxTokens: fields.number('max_tokens', { low: 16, high: 32_768, whole: true, fallback: 1024 }),
    examples,
  }
}

function readExample(fields: Fields): JudgedExample {
  const example = {
    problem: fields.text('problem'),
    steps: fields.texts('steps'),
    right: fields.flag('right'),
    critique: fields.text('critique'),
  }
  fields.end()
  return example
}

function readEnsemble(fields: Fields): EnsembleSpec {
  const members = fields.list('members').map(member => {
    const read = {
      critic: member.text('critic'),
      weight: member.number('weight', { low: -100, high: 100 }),
    }
    member.end()
    return read
  })
  if (members.length === 0) throw fields.refuse('members', 'a list, one at least')
  return {
    kind: 'ensemble',
    threshold: threshold(fields),
    bias: fields.number('bias', { low: -100, high: 100, fallback: 0 }),
    members,
  }
}

/** A member that is no name of the file is a version of this service's own, or `local`; an ensemble cannot be one. */
function checkMembers(specs: ReadonlyMap<string, CriticSpec>): void {
  for (const [name, spec] of specs) {
    if (spec.kind !== 'ensemble') continue
    const names = spec.members.map(({ critic }) => critic)
    if (names.includes('default')) throw new FieldError(`${name} has "default" as a member; say "local".`)
    if (new Set(names).size < names.length) throw new FieldError(`${name} has a member twice.`)
    if (names.some(member => specs.get(member)?.kind === 'ensemble'))
      throw new FieldError(`${name} has an ensemble as a member.`)
  }
}
