// `spar eval methods` from end to end, as a person runs it: toy critic and toy solver, and a real HTTP upstream that adds numbers.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { METHOD_NAMES } from '../../src/search/params.ts'
import { hashFiles, writeJsonl } from '../../src/train/data/jsonl.ts'
import { startLlmServer } from '../fakes/llm-server.ts'
import { tempFolder, writeTinyBase, writeTinyCritic } from '../fakes/tiny-critic.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folder = tempFolder()
after(() => folder.remove())
const file = (name: string) => join(folder.path, name)
const data = file('sums.jsonl')

before(async () => {
  await writeTinyCritic(file('critic'))
  await writeTinyBase(file('base'))
  const sums = Array.from({ length: 6 }, (_, i) => ({ problem: `Add ${i}, 7 and 30.`, answer: i + 37 }))
  writeJsonl(data, sums)
})

const LINE = ['src/cli.ts', 'eval', 'methods', '--critic', file('critic'), '--base', file('base')]

function spar(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Promise<{ code: number; out: string; err: string }>(resolve =>
    execFile(
      process.execPath,
      [...LINE, ...args],
      { cwd: ROOT, env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}
const lastLine = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!)
const upstreamAt = (url: string) => ({ SPAR_LLM_SUMS_URL: url, SPAR_LLM_SUMS_MODEL: 'sums' })

test('an upstream of the environment solves problems of a file by every method, two budgets, files and JSON', async () => {
  const server = await startLlmServer()
  const args = ['--llm', 'sums', '--data', data, '--problems', '4', '--budgets', '2,4', '--parallel', '4']
  const ran = await spar([...args, '--out', file('out')], upstreamAt(server.url))
  await server.close()
  assert.equal(ran.code, 0, ran.err)
  const json = lastLine(ran.out)
  assert.deepEqual(
    [json.eval, json.llm, json.critic, json.problems, json.seed, json.data_hash, json.weights],
    ['methods', 'sums', 'tiny@0.0.0', 4, 1, hashFiles([data]), null],
  )
  assert.match(json.problems_hash, /^[0-9a-f]{64}$/)
  assert.equal(json.rows.length, 2 * METHOD_NAMES.length)
  assert.deepEqual(json.left_out, [])
  for (const { tokens, max_tokens: limit } of json.rows) assert.ok(tokens <= limit)
  const majority = json.rows.find(
    (row: { method: string; budget: number }) => row.method === 'self_consistency' && row.budget === 4,
  )
  assert.ok(majority.solved.value >= json.one_sample.solved.value) // three seeds of four add rightly
  assert.equal(ran.err.match(/% solved/g)?.length, 1 + json.rows.length)
  assert.deepEqual(JSON.parse(readFileSync(join(file('out'), 'report.json'), 'utf8')), json)
  assert.match(
    readFileSync(join(file('out'), 'report.md'), 'utf8'),
    /^# Search methods at equal budgets: sums/,
  )
})

test('answers that are equal as mathematics are one vote, as in the service', async () => {
  const forms = ['7', 'x^2 + 2x + 1', '(x + 1)^2', '1 + 2x + x^2', '7']
  const server = await startLlmServer({
    script(_, index) {
      const content = `We expand it.\n\nThe answer is ${forms[index % forms.length]}.`
      const choices = [{ message: { role: 'assistant', content }, finish_reason: 'stop' }]
      return { body: JSON.stringify({ choices, usage: { prompt_tokens: 10, completion_tokens: 10 } }) }
    },
  })
  writeJsonl(file('forms.jsonl'), [{ problem: 'Expand the square of x + 1.', answer: '7' }])
  const args = ['--llm', 'sums', '--data', file('forms.jsonl'), '--problems', '1', '--budgets', '5']
  const ran = await spar([...args, '--methods', 'self_consistency'], upstreamAt(server.url))
  await server.close()
  assert.equal(ran.code, 0, ran.err)
  // Two say 7, three say the square: letter by letter those would be one each, and 7 would win.
  const { one_sample: single, rows } = lastLine(ran.out)
  assert.deepEqual([single.solved.value, rows[0].calls, rows[0].solved.value], [100, 5, 0])
})

test('the built-in solver gets fresh problems, and methods can be named', async () => {
  const args = [
    '--problems',
    '2',
    '--budgets',
    '2',
    '--methods',
    'mcts,self_consistency',
    '--max-tokens',
    '24',
  ]
  const ran = await spar(args)
  assert.equal(ran.code, 0, ran.err)
  const json = lastLine(ran.out)
  assert.deepEqual([json.llm, json.weights, json.data, json.data_hash], ['builtin', file('base'), '', null])
  assert.deepEqual(
    json.rows.map(({ method }: { method: string }) => method),
    ['self_consistency', 'mcts'],
  )
})

test('an LLM that is not there, a method that is not there, and a missing file are told', async () => {
  const [unknown, method, file, url] = await Promise.all([
    spar(['--llm', 'nobody', '--data', data]),
    spar(['--methods', 'oracle']),
    spar(['--llm', 'sums'], upstreamAt('http://127.0.0.1:9/v1')),
    spar(['--url', 'http://127.0.0.1:9']),
  ])
  assert.match(unknown.err, /no upstream of that name; there are: builtin/)
  assert.match(method.err, /--methods must be of best_of_n, /)
  assert.match(file.err, /--data is missing/)
  assert.match(url.err, /leave --url out/)
  assert.ok([unknown, method, file, url].every(({ code }) => code === 1))
})

test('a threshold out of range is told, and the critic that was started for it ends', async () => {
  const { code, err } = await spar(['--threshold', '7'])
  assert.equal(code, 1)
  assert.match(err, /threshold/)
})

test('Ctrl-C ends it at once, with nothing left running upstream', async () => {
  const server = await startLlmServer({ delayMs: 50 })
  const child = spawn(process.execPath, [...LINE, '--llm', 'sums', '--data', data], {
    cwd: ROOT,
    env: { ...process.env, ...upstreamAt(server.url) },
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', text => (err += text))
  while (server.inFlight() === 0) await new Promise(resolve => setTimeout(resolve, 10))
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  assert.equal(code, 1)
  assert.match(err, /Stopped by SIGINT/)
  while (server.inFlight() > 0) await new Promise(resolve => setTimeout(resolve, 10))
  await server.close()
})
