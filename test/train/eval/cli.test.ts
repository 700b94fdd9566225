// `spar eval` from end to end, as a person runs it, with the shipped critic on a few solutions.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SHIPPED_CRITIC } from '../../../src/cli/options.ts'
import { hashFiles, writeJsonl } from '../../../src/train/data/jsonl.ts'
import { tempFolder } from '../../fakes/tiny-critic.ts'
import { listening } from '../../server/listening.ts'
import { createWorld } from '../../server/world.ts'

const VERSION = basename(SHIPPED_CRITIC)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const folder = tempFolder()
after(() => folder.remove())
const file = (name: string) => join(folder.path, name)

const boxes = (i: number, off: number) => ({
  problem: `Theo has ${i + 11} boxes with ${i + 4} pens each and gives 7 pens away. How many pens are left?`,
  steps: [
    `In all there are ${i + 11} * ${i + 4} = ${(i + 11) * (i + 4) + off} pens.`,
    `Then ${(i + 11) * (i + 4) + off} - 7 = ${(i + 11) * (i + 4) + off - 7} pens are left. The answer is ${(i + 11) * (i + 4) + off - 7}.`,
  ],
})

before(() => {
  const many = Array.from({ length: 12 }, (_, i) => ({ ...boxes(i, i % 2), label: i % 2 === 0 ? -1 : 0 }))
  writeJsonl(file('even.jsonl'), many.slice(0, 6))
  writeJsonl(
    file('odd.jsonl.gz'),
    many.slice(6).map(({ label, ...record }) => ({ ...record, labels: [label < 0, true] })),
  )
  const pool = [0, 1, 2].map(i => ({
    problem: boxes(i, 0).problem,
    reference_answer: String((i + 11) * (i + 4) - 7),
    candidates: [0, 1, 0, 5, 1].map(off => ({
      steps: boxes(i, off).steps,
      prm: { toy: [1 / (1 + off), 0.5] },
    })),
  }))
  writeJsonl(file('pool.jsonl'), pool)
  const bare = pool.map(({ candidates, ...rest }) => ({
    ...rest,
    candidates: candidates.map(({ steps }) => ({ steps })),
  }))
  writeJsonl(file('bare.jsonl'), bare)
  writeJsonl(
    file('mrben_train.jsonl.gz'),
    Array.from({ length: 40 }, (_, i) => ({ ...boxes(i, i % 2), label: (i % 2) - 1 })),
  )
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs `spar eval …`; asynchronously, for a server of this process may have to answer it. */
function spar(...args: string[]): Promise<Ran> {
  return new Promise(resolve =>
    execFile(process.execPath, ['src/cli.ts', 'eval', ...args], { cwd: ROOT }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

const lastLine = (out: string) => JSON.parse(out.trimEnd().split('\n').at(-1)!)

test('processbench: two subsets, baselines, files, one JSON line last', async () => {
  const out = file('report')
  const data = [file('even.jsonl'), file('odd.jsonl.gz')]
  const ran = await spar(
    'processbench',
    '--data',
    data.join(),
    '--train',
    folder.path,
    '--threshold-from',
    'odd',
    '--out',
    out,
  )
  assert.equal(ran.err, '')
  const json = lastLine(ran.out)
  const { eval: what, critic, threshold_from, data: names, data_hash, seed, resamples, rows, means } = json
  assert.deepEqual(
    [what, critic, threshold_from, names, data_hash, seed, resamples],
    ['processbench', VERSION, 'odd', 'even,odd', hashFiles(data), 1, 1000],
  )
  assert.deepEqual(
    [rows.length, means.length, new Set(rows.map((row: { critic: string }) => row.critic)).size],
    [12, 6, 6],
  )
  const tested = rows.find(
    (row: { critic: string; subset: string }) => row.critic === VERSION && row.subset === 'even',
  )
  assert.equal(tested.step_auc.value, 1) // the shipped critic's own ground
  assert.equal(tested.own.f1.value, 100)
  assert.ok(ran.out.split('\n').includes(`# Finding the first wrong step: ${VERSION}`))
  assert.match(ran.out, /hand features, human labels/)
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')), json)
  assert.match(readFileSync(join(out, 'report.md'), 'utf8'), /!\[Reliability diagram\]\(reliability\.svg\)/)
  const svg = readFileSync(join(out, 'reliability.svg'), 'utf8')
  assert.match(svg, /^<svg /)
  assert.ok((svg.match(/<circle /g) ?? []).length >= 2)
  assert.doesNotMatch(svg, /NaN|undefined/)
})

test('pools: all aggregations, references, published rows with their licence', async () => {
  const ran = await spar('pools', '--data', file('pool.jsonl'))
  assert.equal(ran.err, '')
  const json = lastLine(ran.out)
  assert.deepEqual([json.eval, json.problems, json.candidates, json.mixed], ['pools', 3, 15, 3])
  const tested = json.rows.filter((row: { source: string }) => row.source === 'tested')
  assert.deepEqual(tested.map((row: { aggregation: string }) => row.aggregation).sort(), [
    'last',
    'mean',
    'min',
    'prod',
  ])
  assert.equal(tested.find((row: { aggregation: string }) => row.aggregation === 'min').pairs.value, 100)
  assert.match(json.notes[0], /StrictPRMBench, CC-BY-4\.0/)
  for (const row of ['one sample', 'majority', 'oracle', 'random', 'step length', 'toy †'])
    assert.match(ran.out, new RegExp(`^\\| ${row}`, 'm'))
})

test('search: recorded rows alone, or with a critic before them', async () => {
  const out = file('searched')
  const recorded = await spar('search', '--pool', file('pool.jsonl'), '--only-recorded', '--out', out)
  assert.equal(recorded.err, '')
  const json = lastLine(recorded.out)
  assert.deepEqual(
    [json.eval, json.critic, json.data_hash, json.problems, json.candidates, json.sizes],
    ['search', null, hashFiles([file('pool.jsonl')]), 3, 15, [4]],
  )
  assert.match(json.notes[0], /StrictPRMBench, CC-BY-4\.0/)
  assert.deepEqual(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')), json)
  assert.match(readFileSync(join(out, 'report.md'), 'utf8'), /^\| toy †, prod \| 100\.0 \[/m)
  const tested = lastLine((await spar('search', '--pool', file('pool.jsonl'))).out)
  assert.equal(tested.critic, VERSION)
  const own = tested.rows.find((row: { source: string }) => row.source === 'tested')
  assert.deepEqual([own.critic, own.best[0].value], [VERSION, 100])
})

test('over HTTP the figures are of the critic that serves there', async t => {
  const world = createWorld(t)
  await listening(world.app, async url => {
    const ran = await spar(
      'processbench',
      '--data',
      file('even.jsonl'),
      '--url',
      url,
      '--critic-version',
      'sums@1',
    )
    assert.equal(ran.err, '')
    const json = lastLine(ran.out)
    assert.deepEqual([json.critic, json.source, json.threshold], ['sums@1', url, 0.5])
    assert.equal((await world.traffic()).length, 0)
  })
})

test('built-in keeps its line', async () => {
  const ran = await spar('built-in', '--problems', '2', '--n', '2')
  assert.equal(ran.err, '')
  assert.deepEqual(Object.keys(lastLine(ran.out)), [
    'eval',
    'critic',
    'base',
    'seed',
    'problems',
    'n',
    'one_sample',
    'majority',
    'weighted_best_of_n',
    'best_of_n',
    'oracle',
    'step_auc',
    'pairs',
    'weighted_over_majority',
  ])
})

const MISTAKES: readonly { args: string[]; want: RegExp }[] = [
  { args: [], want: /say what to evaluate: processbench, pools, built-in, search/ },
  { args: ['processbench'], want: /--data is missing/ },
  {
    args: ['processbench', '--data', 'EVEN', '--threshold-from', 'odd'],
    want: /--threshold-from must be one of even/,
  },
  {
    args: ['processbench', '--data', 'EVEN', '--threshold', '2'],
    want: /--threshold must be a number from 0 to 1/,
  },
  {
    args: ['processbench', '--data', 'EVEN', '--critic-version', '1'],
    want: /--critic-version and --batch go with --url/,
  },
  {
    args: ['processbench', '--data', 'EVEN', '--url', 'http://x', '--critic', 'y'],
    want: /give one of them/,
  },
  { args: ['processbench', '--data', 'EVEN', '--train', '/nowhere'], want: /has none of mrben_train/ },
  { args: ['pools', '--data', 'EVEN'], want: /record 1: candidates must be a list/ },
  { args: ['search', '--data', 'EVEN'], want: /--pool is missing/ },
  { args: ['search', '--pool', 'POOL', '--train', 'x'], want: /leave --train out/ },
  { args: ['search', '--pool', 'BARE', '--only-recorded'], want: /has no recorded scores/ },
  { args: ['pools', '--data', 'EVEN,EVEN'], want: /eval pools takes one file/ },
]
for (const { args, want } of MISTAKES)
  test(`spar eval ${args.join(' ')} says what is wrong`, async () => {
    const ran = await spar(
      ...args.map(arg => arg.replace(/EVEN|POOL|BARE/g, name => file(`${name.toLowerCase()}.jsonl`))),
    )
    assert.equal(ran.code, 1)
    assert.match(ran.err, want)
    assert.doesNotMatch(ran.err, /\n {4}at /)
  })
