// The operator's file of further critics: what it may say, and that a mistake is named by its place and never repeated.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRemoteCritics } from '../../src/remote/open.ts'
import { parseCriticSpecs } from '../../src/remote/specs.ts'

const ENV = { PRM_KEY: 'sk-secret', EMPTY: ' ', ODD: 'sk\nsecret' }
const parse = (file: unknown) => parseCriticSpecs(JSON.stringify(file), ENV)

const QWEN = { kind: 'vllm', url: 'http://gpu:8000', model: 'Qwen/Qwen2.5-Math-PRM-7B' }
const SPC = { kind: 'generative', upstream: 'ollama' }

test('what is left out has a default', () => {
  const specs = parse({
    qwen: QWEN,
    spc: SPC,
    mix: { kind: 'ensemble', members: [{ critic: 'qwen', weight: 1 }] },
  })
  assert.deepEqual(specs.get('qwen'), {
    kind: 'vllm',
    url: 'http://gpu:8000',
    model: 'Qwen/Qwen2.5-Math-PRM-7B',
    apiKey: undefined,
    separator: '<extra_0>',
    system: 'Please reason step by step, and put your final answer within \\boxed{}.',
    values: 'auto',
    batch: 16,
    threshold: 0.5,
    deadlineMs: 60_000,
    concurrency: 8,
  })
  assert.deepEqual(specs.get('spc'), {
    kind: 'generative',
    upstream: 'ollama',
    samples: 4,
    temperature: 0.7,
    maxTokens: 1024,
    examples: [],
    threshold: 0.5,
    deadlineMs: 120_000,
    concurrency: 16,
  })
  assert.deepEqual(specs.get('mix'), {
    kind: 'ensemble',
    threshold: 0.5,
    bias: 0,
    members: [{ critic: 'qwen', weight: 1 }],
  })
})

test('a key comes from the environment variable that the file names', () => {
  const spec = parse({ qwen: { ...QWEN, key_env: 'PRM_KEY' } }).get('qwen')
  assert.equal(spec?.kind === 'vllm' && spec.apiKey, 'sk-secret')
})

const WRONG: readonly (readonly [file: unknown, message: RegExp])[] = [
  ['nonsense', /one object/],
  [[QWEN], /one object/],
  [{ 'Bad name': QWEN }, /name must have/],
  [{ local: QWEN }, /neither "default" nor "local"/],
  [{ default: QWEN }, /neither "default" nor "local"/],
  [{ q: 'secret' }, /^q must be an object/],
  [{ q: {} }, /^q\.kind must be one of vllm, generative, ensemble/],
  [{ q: { kind: 'secret' } }, /^q\.kind must be one of/],
  [{ q: { kind: 'vllm', model: 'm' } }, /^q\.url must be/],
  [{ q: { ...QWEN, url: 'ftp://secret' } }, /^q\.url must be an http/],
  [{ q: { ...QWEN, url: 'http://u:secret@gpu' } }, /^q\.url must be/],
  [{ q: { ...QWEN, secret: 1 } }, /^q has a field that means nothing here/],
  [{ q: { ...QWEN, threshold: 2 } }, /^q\.threshold must be a number from 0 to 1/],
  [{ q: { ...QWEN, batch: 1.5 } }, /^q\.batch must be a whole number/],
  [{ q: { ...QWEN, separator: 'secret' } }, /^q\.separator must be/],
  [{ q: { ...QWEN, values: 'secret' } }, /^q\.values must be one of/],
  [{ q: { ...QWEN, key_env: 'UNSET' } }, /^q\.key_env must be/],
  [{ q: { ...QWEN, key_env: 'EMPTY' } }, /^q\.key_env must be/],
  [{ q: { ...QWEN, key_env: 'ODD' } }, /^q\.key_env must be/],
  [{ s: { ...SPC, samples: 0 } }, /^s\.samples must be/],
  [{ s: { ...SPC, examples: [{ problem: 'x' }] } }, /^s\.examples\[0\]\.steps must be/],
  [
    { s: { ...SPC, examples: [{ problem: 'x', steps: ['y'], right: 'secret', critique: 'z' }] } },
    /right must be true or false/,
  ],
  [{ e: { kind: 'ensemble', members: [{ critic: 'default', weight: 1 }] } }, /say "local"/],
  [{ e: { kind: 'ensemble' } }, /^e\.members must be/],
  [{ e: { kind: 'ensemble', members: [{ critic: 'a' }] } }, /^e\.members\[0\]\.weight must be/],
  [
    {
      e: {
        kind: 'ensemble',
        members: [
          { critic: 'a', weight: 1 },
          { critic: 'a', weight: 1 },
        ],
      },
    },
    /a member twice/,
  ],
  [
    {
      e: { kind: 'ensemble', members: [{ critic: 'f', weight: 1 }] },
      f: { kind: 'ensemble', members: [{ critic: 'local', weight: 1 }] },
    },
    /an ensemble as a member/,
  ],
]
for (const [file, message] of WRONG)
  test(`${JSON.stringify(file).slice(0, 90)} is refused, without repeating it`, () => {
    assert.throws(
      () => parse(file),
      (error: Error) => message.test(error.message) && !error.message.includes('secret'),
      String(message),
    )
  })

test('what is not JSON is refused', () => {
  assert.throws(() => parseCriticSpecs('{secret', ENV), /^FieldError: it is not JSON/)
})

test('a generative critic whose upstream is not set stops the start', () => {
  const specs = parse({ spc: SPC })
  const local = () => assert.fail('nobody asks')
  assert.throws(
    () => openRemoteCritics({ specs, upstreams: new Map(), local }),
    /critic spc names an upstream/,
  )
})
