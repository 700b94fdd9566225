// Named upstreams from the environment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUpstreams } from '../../src/llm/upstreams.ts'

test('upstreams are read by name, in lower case; the rest of the environment is not looked at', () => {
  const upstreams = parseUpstreams({
    SPAR_LLM_HOSTS: 'a.com',
    SPAR_LLM_VLLM_URL: 'http://gpu:8000/v1',
    SPAR_LLM_VLLM_MODEL: ' Qwen/Qwen2.5-7B-Instruct\n',
    SPAR_LLM_VLLM_KEY: 'sk-1\n',
    SPAR_LLM_MY_BOX_URL: 'https://box/v1',
    SPAR_LLM_MY_BOX_MODEL: 'llama3',
    SPAR_LLM_MY_BOX_KEY: '',
    SPAR_LLM_MY_BOX_CONTINUATION: 'prompted',
    SPAR_LLM_MY_BOX_TIMEOUT_S: '90',
    SPAR_LLM_MY_BOX_CONNECT_S: '3',
    SPAR_LLM_MY_BOX_FIRST_TOKEN_S: '20',
    SPAR_LLM_MY_BOX_STREAM: 'on',
    SPAR_LLM_MY_BOX_CONCURRENCY: '4',
    SPAR_ADMIN_KEY: 'x',
    PATH: '/bin',
  })
  assert.deepEqual(
    [...upstreams],
    [
      [
        'vllm',
        { name: 'vllm', baseUrl: 'http://gpu:8000/v1', model: 'Qwen/Qwen2.5-7B-Instruct', apiKey: 'sk-1' },
      ],
      [
        'my_box',
        {
          name: 'my_box',
          baseUrl: 'https://box/v1',
          model: 'llama3',
          timeoutMs: 90_000,
          connectTimeoutMs: 3000,
          firstTokenTimeoutMs: 20_000,
          stream: 'on',
          concurrency: 4,
          continuation: 'prompted',
        },
      ],
    ],
  )
})

test('without any there are none', () => {
  assert.equal(parseUpstreams({ SPAR_LLM_HOSTS: 'a.com', SPAR_LLM_A_URL: '' }).size, 0)
})

const good = { SPAR_LLM_A_URL: 'http://a/v1', SPAR_LLM_A_MODEL: 'm' }
const faults: readonly [name: string, env: Record<string, string>, message: RegExp][] = [
  [
    'a URL without a model',
    { SPAR_LLM_A_URL: 'http://a' },
    /SPAR_LLM_A_URL is set, but SPAR_LLM_A_MODEL is not/,
  ],
  ['a model without a URL', { SPAR_LLM_A_MODEL: 'm' }, /SPAR_LLM_A_MODEL is set, but SPAR_LLM_A_URL is not/],
  ['a key alone', { SPAR_LLM_A_KEY: 'secret' }, /SPAR_LLM_A_KEY is set, but SPAR_LLM_A_URL is not/],
  ['a URL of another kind', { ...good, SPAR_LLM_A_URL: 'ftp://secret' }, /SPAR_LLM_A_URL is not an http/],
  ['no URL at all', { ...good, SPAR_LLM_A_URL: 'secret' }, /SPAR_LLM_A_URL is not an http/],
  [
    'credentials in the URL',
    { ...good, SPAR_LLM_A_URL: 'http://u:secret@a' },
    /SPAR_LLM_A_URL must not hold/,
  ],
  ['a key over two lines', { ...good, SPAR_LLM_A_KEY: 'secret\nsecret' }, /SPAR_LLM_A_KEY holds a character/],
  [
    'an unknown continuation',
    { ...good, SPAR_LLM_A_CONTINUATION: 'secret' },
    /must be one of auto, continue_/,
  ],
  ['a timeout in words', { ...good, SPAR_LLM_A_TIMEOUT_S: 'secret' }, /_TIMEOUT_S must be a whole number/],
  [
    'a stream in other words',
    { ...good, SPAR_LLM_A_STREAM: 'secret' },
    /_STREAM must be one of auto, on, off/,
  ],
  [
    'a first token at once',
    { ...good, SPAR_LLM_A_FIRST_TOKEN_S: '0' },
    /_FIRST_TOKEN_S must be a whole number/,
  ],
  ['no calls at all', { ...good, SPAR_LLM_A_CONCURRENCY: '0' }, /_CONCURRENCY must be a whole number/],
  [
    'the name of the built-in solver',
    { SPAR_LLM_BUILTIN_URL: 'http://a', SPAR_LLM_BUILTIN_MODEL: 'm' },
    /built-in/,
  ],
  [
    'the name of the GGUF file',
    { SPAR_LLM_GGUF_URL: 'http://a', SPAR_LLM_GGUF_MODEL: 'm' },
    /belongs to the GGUF file/,
  ],
  [
    'one name in two cases',
    { ...good, SPAR_LLM_a_URL: 'http://secret' },
    /SPAR_LLM_A_URL and SPAR_LLM_a_URL/,
  ],
]

for (const [name, env, message] of faults) {
  test(`${name} stops the start with a sentence, without values`, () => {
    assert.throws(
      () => parseUpstreams(env),
      (error: Error) => message.test(error.message) && !error.message.includes('secret'),
    )
  })
}
