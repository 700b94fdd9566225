// The environment: the README lists the same variables as the code, and a wrong value is named, never shown.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readConfig } from '../src/config.ts'
import { VARIABLES } from '../src/variables.ts'

test('the README lists every variable that the code reads, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([A-Z_<>]+)` \| (.+?) \|$/gm)].map(([, name, about]) => [
    name,
    about,
  ])
  assert.deepEqual(Object.fromEntries(rows), VARIABLES)
})

test('without variables the service listens on this machine only, on 8080, without admin routes', () => {
  const { host, port, adminKey, redisUrl } = readConfig({})
  assert.deepEqual(
    { host, port, adminKey, redisUrl },
    { host: '127.0.0.1', port: 8080, adminKey: undefined, redisUrl: undefined },
  )
})

for (const [name, value] of [
  ['PORT', 'secret-99999'],
  ['SPAR_DEVICE', 'secret-tpu'],
  ['SPAR_DEVICE', 'cpu,auto-secret'],
  ['SPAR_THREADS', '0.5'],
  ['SPAR_PREFIX_CACHE_MB', '-1'],
  ['SPAR_PRECISION', 'secret-int2'],
  ['SPAR_LOG_LEVEL', 'secret-loud'],
  ['SPAR_CHAT_UPSTREAM', 'secret-llm'],
  ['SPAR_GGUF_CONTEXT', '100-secret'],
  ['SPAR_GGUF_PARALLEL', '0.25'],
] as const) {
  test(`a wrong ${name} stops the start with a message that names it and does not repeat the value`, () => {
    assert.throws(
      () => readConfig({ [name]: value }),
      (error: Error) => error.message.startsWith(name) && !error.message.includes(value),
    )
  })
}

test('devices are tried in the order they are named in', () => {
  assert.deepEqual(readConfig({}).devices, ['cuda', 'cpu'])
  assert.deepEqual(readConfig({ SPAR_DEVICE: 'auto' }).devices, ['cuda', 'cpu'])
  assert.deepEqual(readConfig({ SPAR_DEVICE: 'webgpu, cpu' }).devices, ['webgpu', 'cpu'])
  assert.deepEqual(readConfig({ SPAR_DEVICE: 'cuda' }).devices, ['cuda'])
})

test('a GGUF file is an upstream only where its path is set', () => {
  assert.equal(readConfig({ SPAR_GGUF_PARALLEL: '2' }).gguf, null)
  assert.deepEqual(readConfig({ SPAR_GGUF: '/m.gguf', SPAR_GGUF_PARALLEL: '2' }).gguf, {
    path: '/m.gguf',
    library: undefined,
    contextTokens: 4096,
    parallel: 2,
  })
})

test('the chat model spar stands for the upstream that is set, else the first by the alphabet, else gguf, else builtin', () => {
  const upstream = (name: string) => ({
    [`SPAR_LLM_${name}_URL`]: 'http://127.0.0.1:1/v1',
    [`SPAR_LLM_${name}_MODEL`]: 'm',
  })
  const two = { ...upstream('ZETA'), ...upstream('ALPHA') }
  assert.equal(readConfig({}).chatUpstream, 'builtin')
  assert.equal(readConfig({ SPAR_GGUF: '/m.gguf' }).chatUpstream, 'gguf')
  assert.equal(readConfig({ ...two, SPAR_GGUF: '/m.gguf' }).chatUpstream, 'alpha')
  assert.equal(readConfig(two).chatUpstream, 'alpha')
  assert.equal(readConfig({ ...two, SPAR_CHAT_UPSTREAM: 'zeta' }).chatUpstream, 'zeta')
})

test('rounds take their endpoints and source weights from the environment, and a wrong one is named', () => {
  const upstream = { SPAR_LLM_BIG_URL: 'http://127.0.0.1:1/v1', SPAR_LLM_BIG_MODEL: 'm' }
  const { sparring } = readConfig({
    ...upstream,
    SPAR_SNEAKY_LLM: 'big',
    SPAR_TEACHER_LLM: 'BIG',
    SPAR_SOURCE_WEIGHTS: 'agreement=0.5, teacher=0',
  })
  assert.deepEqual([sparring.sneakyLlm?.model, sparring.teacherLlm?.model], ['m', 'm'])
  assert.deepEqual(sparring.sourceWeights, { agreement: 0.5, teacher: 0 })
  assert.deepEqual(readConfig(upstream).sparring, {})
  assert.throws(() => readConfig({ SPAR_TEACHER_LLM: 'secret-name' }), /SPAR_TEACHER_LLM must be the name/)
  assert.throws(
    () => readConfig({ SPAR_TEACHER_CRITIC: 'secret-name' }),
    /^Error: SPAR_TEACHER_CRITIC must be the name of a critic in SPAR_CRITICS, of kind vllm or generative$/,
  )
  assert.throws(
    () => readConfig({ ...upstream, SPAR_TEACHER_LLM: 'big', SPAR_TEACHER_CRITIC: 'x' }),
    /SPAR_TEACHER_LLM and SPAR_TEACHER_CRITIC: set one of them/,
  )
  for (const wrong of ['votes=1', 'tree', 'tree=2', 'tree=-1', 'tree='])
    assert.throws(() => readConfig({ SPAR_SOURCE_WEIGHTS: wrong }), /SPAR_SOURCE_WEIGHTS takes/)
})
