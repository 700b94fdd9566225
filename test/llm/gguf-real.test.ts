// A real GGUF file in a real node-llama-cpp: runs where both are found in `.local` (see CONTRIBUTING.md), else it is skipped.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { createGgufLlm } from '../../src/llm/gguf.ts'
import { startGguf } from '../../src/llm/gguf-host.ts'
import { never } from './support.ts'

const LOCAL = new URL('../../.local/', import.meta.url)
const library = new URL('nlc/node_modules/node-llama-cpp/dist/index.js', LOCAL)
const folder = new URL('llm/', LOCAL)
const file = existsSync(folder) ? readdirSync(folder).find(name => name.endsWith('.gguf')) : undefined
const missing = !existsSync(library) || file === undefined
const skip = missing && 'there is no node-llama-cpp in .local/nlc, or no GGUF file in .local/llm'

test('a real file writes steps that fit their problem, the same for the same seed, at the same time', {
  skip,
}, async t => {
  const path = new URL(file!, folder).pathname
  const host = await startGguf({
    path,
    library: library.href,
    threads: 1,
    gpu: false,
    contextTokens: 512,
    parallel: 2,
  })
  t.after(() => host.close())
  const llm = createGgufLlm(host.sample)
  const question = {
    problem: 'What is 2 + 3?',
    until: 'step',
    temperature: 0,
    maxTokens: 24,
    seed: 1,
  } as const
  const steps = ['We add the two numbers.']
  const [first, again] = await Promise.all([
    llm.propose({ ...question, steps }, never()),
    llm.propose({ ...question, steps }, never()),
  ])
  assert.deepEqual(first, again)
  assert.match(first!.text, /\w/)
  const { prompt_tokens, completion_tokens, estimated } = first!.usage
  assert.ok(prompt_tokens > 50 && prompt_tokens < 512 && estimated === undefined)
  assert.ok(completion_tokens >= 1 && completion_tokens <= 24)
})
