// A round that is stopped, killed and killed again in its own process: it goes on each time from where it was, and what it kept goes at its end.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { TrafficRecord } from '../../src/store/types.ts'
import { keptCheckpoints } from '../../src/train/fit/checkpoint.ts'
import type { RoundNews, RoundOrder } from '../../src/train/round/messages.ts'
import { runRound } from '../../src/train/round/round.ts'
import { dropRound, openWork, roundsLeft } from '../../src/train/round/work.ts'
import { tempFolder } from '../fakes/tiny-critic.ts'
import { feedbackTraffic, writeRoundCritic } from './round-world.ts'

const ROUND_PROCESS = fileURLToPath(new URL('../../src/train/round-process.ts', import.meta.url))
const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
const order: RoundOrder = {
  store: at('spar.sqlite'),
  servingDir: at('serving'),
  outDir: at('trained'),
  version: 'v1',
  minutes: 0.4, // so that a busy machine gets beyond a first step
  seed: 1,
  threads: 1,
  checkpointMs: 1, // after every step
}
const children: ChildProcess[] = []
/** Several processes and rounds: on a busy machine they take a while. */
const LONG_MS = 300_000
before(async () => {
  await writeRoundCritic(order.servingDir, { version: 'critic@0.1.0' })
  // Labelled steps, so that the feature path learns too.
  const records = feedbackTraffic(120).map(({ record }) => record)
  const store = openSqliteStore(order.store)
  await store.appendTraffic(records)
  const labelsOf = ({ candidates: [solution] }: TrafficRecord) => solution!.steps.map((_, i) => i % 2 === 0)
  await store.addFeedback(records.map(record => ({ id: record.id, at: 1, step_labels: labelsOf(record) })))
  await store.close()
})
after(() => {
  for (const child of children) child.kill('SIGKILL')
  folder.remove()
})

/** Runs the process until it ends, or until `isTime`, when it gets the signal. */
async function run(signal: NodeJS.Signals, isTime: (news: readonly RoundNews[]) => boolean) {
  const child = fork(ROUND_PROCESS, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.push(child)
  const news: RoundNews[] = []
  child.on('message', (message: RoundNews) => news.push(message))
  const watch = setInterval(() => isTime(news) && child.kill(signal), 20)
  child.send(order)
  await once(child, 'exit')
  clearInterval(watch)
  const told = news.filter(n => n.kind === 'progress')
  const resumed = told.find(({ figures }) => 'resumed' in figures)?.figures['resumed']
  return {
    stages: [...new Set(told.map(({ stage }) => stage))],
    percents: told.map(({ percent }) => percent),
    resumed: resumed as { part: string; step: number } | undefined,
    steps: told.flatMap(({ figures }) => (figures['learn'] as { steps: number } | undefined)?.steps ?? []),
    last: news.at(-1),
  }
}
const saved = (part: string) => existsSync(at(`trained/.rounds/v1/learning/${part}/run.checkpoint`))

test('a round goes on from its last checkpoint after SIGTERM and after kill -9 in learn, and from learn after one in evaluate', {
  timeout: LONG_MS,
}, async () => {
  const stopped = await run('SIGTERM', () => saved('features'))
  assert.deepEqual(stopped.stages, ['collect', 'play', 'learn'])
  assert.deepEqual(stopped.last, { kind: 'failed', message: 'The round was stopped.' })
  assert.equal(existsSync(at('trained/v1')), false)
  assert.deepEqual(roundsLeft(at('trained')), ['v1'])

  const tells = (news: readonly RoundNews[]) =>
    news.some(n => n.kind === 'progress' && 'resumed' in n.figures)
  const killed = await run('SIGKILL', news => saved('text') && tells(news))
  assert.equal(killed.resumed?.part, 'features')
  assert.ok(killed.resumed.step > 0)
  assert.ok(killed.percents[0]! >= stopped.percents.at(-1)!, 'percent does not fall')
  assert.deepEqual(killed.stages, ['learn'], 'nothing before is played again')

  const again = await run('SIGKILL', news => news.some(n => n.kind === 'progress' && n.stage === 'evaluate'))
  const text = again.steps.at(-1) ?? 0
  assert.deepEqual(again.stages, ['learn', 'evaluate'])
  assert.ok(text > 1, `${text} steps, those before the kill included`)

  const { stages, last, steps } = await run('SIGKILL', () => false)
  assert.deepEqual(stages.slice(-2), ['evaluate', 'gate'])
  assert.deepEqual([...new Set(steps)], [text], 'nothing is learned twice')
  assert.equal(last?.kind, 'done')
  if (last?.kind !== 'done') return
  assert.deepEqual((last.figures['resumed'] as { part: string }).part, 'text')
  assert.ok((last.figures['resumed'] as { step: number }).step > 0)
  const seconds = last.figures['seconds'] as Record<string, number>
  assert.deepEqual(Object.keys(seconds), ['collect', 'play', 'learn', 'evaluate', 'gate', 'total'])
  assert.ok(seconds['learn']! >= 0.2 * 60 * order.minutes, 'its share of the time, over all processes')
  assert.ok(existsSync(at('trained/v1/manifest.json')))
  assert.deepEqual(roundsLeft(at('trained')), [], 'nothing is left beside the candidate')
})

/** A round without traffic that was stopped when it began to learn. */
async function stoppedRound(version: string) {
  const stop = new AbortController()
  const options = {
    ...order,
    version,
    minutes: 0.02,
    traffic: [],
    now: () => performance.now(),
    createdAt: '2026-01-01T00:00:00.000Z',
  }
  const begun = runRound({
    ...options,
    signal: stop.signal,
    report: stage => stage === 'learn' && stop.abort(new Error('stopped')),
  })
  await assert.rejects(begun, /stopped/)
  return options
}

test('what an older Spar left does not stop a round: it begins anew', { timeout: LONG_MS }, async () => {
  const options = await stoppedRound('v2')
  const foreign = {
    step: 1,
    elapsedMs: 1,
    tokens: 1,
    drawn: 1,
    settings: { optimizer: 'other' },
    tensors: {},
  }
  keptCheckpoints(at('trained/.rounds/v2/learning/text'), 1).save(foreign)
  const stages: string[] = []
  const { figures } = await runRound({ ...options, report: stage => stages.push(stage) })
  assert.deepEqual([...new Set(stages)], ['learn', 'collect', 'play', 'evaluate', 'gate'])
  assert.equal(figures['resumed'], undefined)
  assert.deepEqual(roundsLeft(at('trained')), [])
})

test('a round that is gone on with after a client opted out collects anew, without it', {
  timeout: LONG_MS,
}, async () => {
  const options = await stoppedRound('v4')
  const stages: string[] = []
  const admit = { without: ['0123456789abcdef'] }
  await runRound({ ...options, admit, report: stage => stages.push(stage) })
  assert.ok(stages.includes('collect'), stages.join())
})

test('what a Spar that teaches a lesson more often left is not gone on from', {
  timeout: LONG_MS,
}, async () => {
  const options = await stoppedRound('v3')
  const path = at('trained/.rounds/v3/of')
  const { passes, ...others } = JSON.parse(deserialize(readFileSync(path)) as string)
  assert.ok(passes.text >= 1)
  writeFileSync(path, serialize(JSON.stringify({ ...others, passes: { ...passes, text: passes.text + 1 } })))
  const stages: string[] = []
  await runRound({ ...options, report: stage => stages.push(stage) })
  assert.deepEqual([...new Set(stages)], ['collect', 'play', 'learn', 'evaluate', 'gate'])
})

test('what a round kept comes back as it was, to the same round only', async () => {
  const of = { parent: 'a', seed: 1 }
  const open = (identity: Record<string, unknown> = of) => openWork(at('out'), 'v', identity)
  const made = { scores: [0.5, Number.NaN, null], weights: { w: Float32Array.of(1, 2) } }
  const work = open()
  assert.deepEqual(await work.once('stage', () => made), made)
  assert.deepEqual(await open().once('stage', () => assert.fail('it is made once')), made)
  assert.equal(open().load('other'), null)
  assert.equal(open({ ...of, parent: 'b' }).load('stage'), null)
  assert.equal(open().load('stage'), null, 'it went')
})

test('what is torn is made again, and what is discarded leaves no trace', async () => {
  const work = openWork(at('torn'), 'v', {})
  work.keep('stage', { made: 1 })
  writeFileSync(at('torn/.rounds/v/stage'), 'nonsense')
  assert.equal(await work.once('stage', () => 2), 2)
  assert.deepEqual(roundsLeft(at('torn')), ['v'])
  dropRound(at('torn'), 'v')
  assert.deepEqual([roundsLeft(at('torn')), readdirSync(at('torn/.rounds'))], [[], []])
})
