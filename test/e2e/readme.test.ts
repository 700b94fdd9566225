// What the README and the contract print is what the service with the shipped models does: every curl runs, every answer printed
// under it has the fields that the service answers with, and the contract's critique is a real one.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { aggregate } from '../../src/search/aggregate.ts'
import { loadContract } from '../../src/server/contract.ts'
import { startTestService, type TestService } from '../fakes/service.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'

const folder = tempFolder()
let service: TestService
before(async () => {
  service = await startTestService(folder.path)
})
after(async () => {
  await service.stop()
  folder.remove()
})

interface Block {
  readonly commands: readonly string[]
  readonly answers: readonly string[]
}

/** The shell blocks with curls, each with the lines of the JSON block under it. */
function readBlocks(): Block[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const pairs = readme.matchAll(/^```\n((?:curl[\s\S]*?))^```\n```json\n([\s\S]*?)^```/gm)
  return [...pairs].map(([, shell, json]) => ({
    commands: shell!.split(/\n(?=curl)/).map(command => command.trim()),
    answers: json!.split(/\n(?=\{|event:)/).map(answer => answer.trim()),
  }))
}

/** Runs a printed command against the service of this test; `curl -N` streams are cut after a moment. */
function shell(command: string, jobId: string): string {
  const text = command.replaceAll('localhost:8080', service.url).replace('JOB_ID', jobId)
  const bounded = text.startsWith('curl -N') ? text.replace('curl -N', 'curl -sN --max-time 2') : text
  try {
    return execFileSync('bash', ['-c', bounded], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    return (error as { stdout: string }).stdout // curl ends with 28 when its time is up
  }
}

/** Names of the outermost fields; of printed answers too, which are shortened by … and so are no JSON. */
function fieldsOf(json: string): string[] {
  let depth = 0
  const names: string[] = []
  for (const [token, name] of json.matchAll(/"((?:[^"\\]|\\.)*)"(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (depth === 1 && name !== undefined) names.push(name)
  }
  return names.sort()
}

test('the service is ready within five seconds of its start', () => {
  assert.ok(service.readyMs < 5000, `${service.readyMs} ms`)
})

interface Critique {
  readonly steps: readonly { readonly score: number }[]
  readonly aggregate: object
}
interface Example<T> {
  readonly content: {
    readonly 'application/json': { readonly examples: { readonly steps: { readonly value: T } } }
  }
}
interface CritiqueExamples {
  readonly requestBody: Example<object>
  readonly responses: { readonly 200: Example<Critique> }
}

/** Differ from critic to critic, or from call to call. */
const VARYING = ['critic', 'threshold', 'score', 'last', 'min', 'prod', 'mean', 'tokens', 'request_id']
/** A critique without them: they are there, and of which type. */
const outline = (critique: Critique): unknown =>
  JSON.parse(JSON.stringify(critique, (key, value) => (VARYING.includes(key) ? typeof value : value)))

test('the critique of the contract’s example is the one it prints, whatever critic is shipped', async () => {
  const { paths } = loadContract().document as { paths: Record<string, { post: CritiqueExamples }> }
  const { requestBody, responses } = paths['/critique']!.post
  const printed = responses[200].content['application/json'].examples.steps.value
  const asked = requestBody.content['application/json'].examples.steps.value
  const answer = (await service.post('/critique', asked)) as Critique
  assert.deepEqual(outline(answer), outline(printed))
  const scores = printed.steps.map(step => step.score)
  scores.forEach((score, i) => {
    const got = answer.steps[i]!.score
    assert.ok(Math.abs(got - score) < 0.2, `step ${i}: ${got}, printed ${score}`)
  })
  assert.deepEqual(printed.aggregate, aggregate(scores))
})

test('every curl of the README answers as printed', { timeout: 60_000 }, async () => {
  const blocks = readBlocks()
  assert.ok(blocks.flatMap(block => block.commands).length >= 12)
  let jobId = ''
  for (const { commands, answers } of blocks) {
    commands.forEach((command, i) => {
      const output = shell(command, jobId)
      assert.notEqual(output, '', command)
      if (command.includes('/admin/retrain')) jobId = (JSON.parse(output) as { id: string }).id
      const printed = answers[i]
      if (printed === undefined) return // /metrics and the contract: no JSON
      const [line] = printed.split('\n')
      if (line!.startsWith('event:')) assert.ok(output.startsWith(`${line}\ndata: {`), output)
      else assert.deepEqual(fieldsOf(output), fieldsOf(printed), command)
    })
  }
  assert.notEqual(jobId, '')
})
