// A whole round in its own process, from a SQLite store with feedback to a decided candidate; and how it ends early.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openArtifact } from '../../src/critic/manifest.ts'
import { openScorer } from '../../src/critic/scorer.ts'
import { parseCriticSpecs } from '../../src/remote/specs.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Example } from '../../src/train/data/example.ts'
import { readJsonl } from '../../src/train/data/jsonl.ts'
import { REPLAY_FILE, SLICE_FILE } from '../../src/train/recipe/reading.ts'
import type { RoundNews, RoundOrder, TeacherCritic } from '../../src/train/round/messages.ts'
import { runRound } from '../../src/train/round/round.ts'
import { readSparring } from '../../src/train/round/sparring-state.ts'
import { type LlmServer, startLlmServer } from '../fakes/llm-server.ts'
import { checksSums } from '../fakes/spc-critic.ts'
import { tempFolder, writeTinyCritic } from '../fakes/tiny-critic.ts'
import { feedbackTraffic, writeRoundCritic } from './round-world.ts'

const ROUND_PROCESS = fileURLToPath(new URL('../../src/train/round-process.ts', import.meta.url))
const folder = tempFolder()
const at = (name: string) => join(folder.path, name)
const order: RoundOrder = {
  store: at('spar.sqlite'),
  servingDir: at('serving'),
  outDir: at('trained'),
  version: 'trained-1',
  minutes: 0.02,
  seed: 1,
  threads: 1,
}
const children: ChildProcess[] = []

let llm: LlmServer

before(async () => {
  llm = await startLlmServer({
    script: request => {
      const isTeacher = request.body!.messages[0]!.content.startsWith('You check solutions')
      const content = isTeacher ? 'First wrong step: none' : 'Wrong step: So 2 + 2 = 5.'
      return { body: JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }) }
    },
  })
  await writeRoundCritic(order.servingDir, { version: 'critic@0.1.0' })
  const store = openSqliteStore(order.store)
  const traffic = feedbackTraffic(50)
  await store.appendTraffic(traffic.map(t => t.record))
  await store.addFeedback(traffic.flatMap(t => t.feedback))
  await store.close()
})
after(async () => {
  await llm.close()
  for (const child of children) child.kill('SIGKILL')
  folder.remove()
})

/** Starts the process; collects what it says until it ends. */
function start(change: Partial<RoundOrder> = {}) {
  const child = fork(ROUND_PROCESS, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  children.push(child)
  const news: RoundNews[] = []
  child.on('message', (message: RoundNews) => news.push(message))
  let errors = ''
  child.stderr?.on('data', chunk => {
    errors += String(chunk)
  })
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, errors: () => errors }))
  child.send({ ...order, ...change })
  return { child, news, ended }
}

test('a round in its own process learns of a critic that runs elsewhere', async () => {
  const server = await startLlmServer({ script: checksSums() })
  try {
    const upstream = { name: 'ollama', baseUrl: server.url, model: 'fake', apiKey: 'sk-secret' }
    const specs = parseCriticSpecs('{"spc": {"kind": "generative", "upstream": "ollama", "samples": 1}}', {})
    const spec = specs.get('spc') as TeacherCritic['spec']
    const { news, ended } = start({
      outDir: at('distilled'),
      sparring: { teacherCritic: { name: 'spc', spec, upstream } },
    })
    const { errors } = await ended
    const last = news.at(-1)
    assert.equal(last?.kind, 'done', errors())
    if (last?.kind !== 'done') return
    const { labels, lessons } = last.figures as Record<string, Record<string, number>>
    assert.ok(labels!['teacher_verdicts']! > 0, JSON.stringify(labels))
    assert.ok('teacher' in lessons!, JSON.stringify(lessons))
    assert.ok(!JSON.stringify(news).includes('sk-secret'))
  } finally {
    await server.close()
  }
})

test('a round in its own process tells of each stage and leaves a decided candidate', async () => {
  const upstream = { name: 'fake', baseUrl: llm.url, model: 'fake', apiKey: 'sk-secret' }
  const { news, ended } = start({ sparring: { sneakyLlm: upstream, teacherLlm: upstream } })
  const { code, errors } = await ended
  const last = news.at(-1)
  assert.equal(last?.kind, 'done', errors())
  assert.equal(code, 0)
  if (last?.kind !== 'done') return

  const progress = news.filter(n => n.kind === 'progress')
  assert.deepEqual([...new Set(progress.map(p => p.stage))], ['collect', 'play', 'learn', 'evaluate', 'gate'])
  const percents = progress.map(p => p.percent)
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  )
  assert.ok(percents.every(p => p >= 0 && p <= 100))

  const { manifest } = openArtifact(at('trained/trained-1'))
  const { figures } = last
  const { llm_play, labels } = figures as Record<string, Record<string, number>>
  assert.ok(llm_play!['attempts']! > 0 && llm_play!['failed'] === 0, JSON.stringify(llm_play))
  assert.ok(labels!['teacher_verdicts']! > 0, JSON.stringify(labels))
  assert.ok(!JSON.stringify(news).includes('sk-secret'))
  assert.equal(manifest.parent, 'critic@0.1.0')
  assert.deepEqual([figures['parent'], figures['seed']], ['critic@0.1.0', 1])
  assert.match(manifest.data_hash, /^[0-9a-f]{64}$/)
  assert.equal(figures['data_hash'], manifest.data_hash)
  assert.deepEqual(Object.keys(figures['seconds'] as object), [
    'collect',
    'play',
    'learn',
    'evaluate',
    'gate',
    'total',
  ])
  const collected = figures['collected'] as Record<string, number>
  assert.equal(collected['traffic_problems']! + collected['traffic_held_back']!, 50)
  assert.equal(collected['by_feedback'], 2 * collected['traffic_problems']!)
  assert.ok(((figures['play'] as Record<string, number>)['duels'] ?? 0) > 20)
  const recorded = manifest.metrics['round'] as { decision: string; reason: string }
  assert.deepEqual([recorded.decision, recorded.reason], [last.decision, last.reason])

  const read = (dir: string, file: string) => readJsonl<Example>(join(dir, file))
  assert.deepEqual(read(at('trained/trained-1'), SLICE_FILE), read(order.servingDir, SLICE_FILE))
  const replay = read(at('trained/trained-1'), REPLAY_FILE)
  assert.ok(replay.some(e => e.source === 'outcome') && replay.some(e => e.source !== 'outcome'))
  const scorer = await openScorer(at('trained/trained-1'))
  const [critique] = await scorer.judge([{ problem: 'What is 2 + 2?', steps: ['2 + 2 = 4'] }])
  assert.ok(Number.isFinite(critique!.steps[0]!.score))
  await scorer.release()
})

test('SIGTERM stops a round; nothing is left of its candidate', async () => {
  const { child, news, ended } = start({ version: 'stopped', minutes: 10 })
  await once(child, 'message')
  child.kill('SIGTERM')
  await ended
  assert.deepEqual(news.at(-1), { kind: 'failed', message: 'The round was stopped.' })
  assert.equal(existsSync(at('trained/stopped')), false)
  assert.deepEqual(readdirSync(at('trained/.drafts')), [])
})

test('a round whose parent is gone ends', async () => {
  const { child, ended } = start({ version: 'orphan', minutes: 10 })
  await once(child, 'message')
  child.disconnect()
  await ended
  assert.equal(existsSync(at('trained/orphan')), false)
})

test('a critic that cannot be improved on fails the round with the reason', async () => {
  await writeTinyCritic(at('bare'))
  const { news, ended } = start({ servingDir: at('bare'), version: 'of-bare' })
  await ended
  const last = news.at(-1)
  assert.ok(last?.kind === 'failed' && /has no slice\.jsonl\.gz/.test(last.message), JSON.stringify(last))
})

const alone = {
  ...order,
  traffic: [],
  now: () => performance.now(),
  createdAt: '2026-01-01T00:00:00.000Z',
  report: () => {},
}

test('without traffic a round plays on generated problems; run again it answers what was decided and trains nothing', async () => {
  const first = await runRound({ ...alone, version: 'no-traffic' })
  const lessons = Object.keys(first.figures['lessons'] as object)
  assert.ok(lessons.includes('replay') && lessons.some(name => name.startsWith('sneaky')), lessons.join())
  // The generators of the first round are frozen: the gate compares on the one, the other has no model to play with.
  const { gate, llm_play } = first.figures as Record<string, Record<string, object>>
  assert.deepEqual(Object.keys(gate!['frozen']!), ['all', 'generator of trained-1'])
  assert.deepEqual(llm_play, { skipped: 'no language model is set to play', frozen_generators: 1 })
  // What sparring remembers is beside the critics: this round's generator, and the critic it met.
  const { league, notes } = readSparring(order.outDir)
  assert.ok(league.attackers.some(({ name }) => name === 'generator of no-traffic'))
  assert.ok((league.table['critic@0.1.0']?.['generator of no-traffic']?.games ?? 0) > 20)
  assert.deepEqual(notes.at(-1), { version: 'no-traffic', decision: first.decision })
  const stages: string[] = []
  const report = (stage: string) => stages.push(stage)
  const again = await runRound({ ...alone, version: 'no-traffic', minutes: 100, report })
  assert.deepEqual(again, JSON.parse(JSON.stringify(first)))
  assert.deepEqual(stages, [])
})

test('a round does not write over a critic that came from elsewhere', async () => {
  await writeTinyCritic(at('trained/taken'), { version: 'taken' })
  await assert.rejects(runRound({ ...alone, version: 'taken' }), { code: 'CRITIC_INVALID' })
  assert.equal(openArtifact(at('trained/taken')).manifest.version, 'taken')
})
