// What a person and a log are told of training, and the picture drawn from the log.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FitProgress } from '../../../src/train/fit/fit.ts'
import { plotLog } from '../../../src/train/recipe/plot.ts'
import { createProgress, type LogRecord } from '../../../src/train/recipe/progress.ts'

const progress = (step: number, change: Partial<FitProgress> = {}): FitProgress => ({
  step,
  done: step / 100,
  loss: 2,
  lossLm: 1.5,
  lossStep: 0.5,
  lossPair: 0,
  gradNorm: 1,
  learningRate: 0.001,
  tokensPerSecond: 1000,
  tokens: 1000 * (step + 1),
  elapsedMs: 1000 * step,
  ...change,
})

test('a terminal gets a bar with losses, speed, memory and time left; a log one JSON line each', () => {
  const dir = mkdtempSync(join(tmpdir(), 'spar-progress-'))
  const logFile = join(dir, 'log.jsonl')
  const lines: string[] = []
  let clock = 0
  const out = { isTTY: true, write: (text: string) => lines.push(text) }
  const report = createProgress({
    label: 'base',
    out,
    logFile,
    now: () => clock,
    rss: () => 321e6,
    everySteps: 25,
  })
  for (let step = 0; step <= 50; step++) {
    report(progress(step))
    clock += step < 25 ? 1000 : 500
  }
  assert.match(
    lines[2]!,
    /^\rbase █{12}░{12} 50\.0% step 50 loss 2\.000 \(lm 1\.500 step 0\.500 pair 0\.000\) 2000 tok\/s 321 MB left 0:50/,
  )
  const records = readFileSync(logFile, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as LogRecord)
  assert.deepEqual(
    records.map(r => [r.step, r.tokens_per_second, r.elapsed_s, r.rss_mb, r.loss]),
    [
      [0, 1000, 0, 321, 2],
      [25, 1000, 25, 321, 2],
      [50, 2000, 50, 321, 2],
    ],
  )
  rmSync(dir, { recursive: true })
})

const record = (step: number, change: Partial<LogRecord> = {}): string =>
  JSON.stringify({
    label: 'critic <a>',
    step,
    done: step / 100,
    loss: 3,
    lossLm: 0,
    lossStep: 2 - step / 1000,
    lossPair: 1,
    grad_norm: 1,
    lr: 0.001,
    tokens: 3072 * step,
    tokens_per_second: 1500,
    elapsed_s: step,
    rss_mb: 800,
    ...change,
  })

test('the picture shows the losses that take part and the speed, for light and dark pages', () => {
  const svg = plotLog(Array.from({ length: 1000 }, (_, i) => record(i)).join('\n'))
  assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'))
  assert.ok(svg.includes('prefers-color-scheme: dark'))
  assert.ok(svg.includes('>critic &lt;a&gt;: losses by step (17 min, 3.07M tokens, 800 MB)<'))
  assert.ok(svg.includes('>steps 1<') && svg.includes('>pairs 1<') && svg.includes('>tokens/s 1.5k<'))
  assert.ok(!svg.includes('>language'), 'a loss that is always 0 is left out')
  assert.equal(svg.match(/<path/g)!.length, 3)
  assert.ok(svg.length < 40_000)
  assert.ok(!svg.includes('NaN'))
})

test('the picture is of the last run in the log, a resumed run counted once', () => {
  const log = [
    record(0),
    record(20),
    record(40),
    record(0),
    record(20, { lossPair: 9 }),
    record(20),
    record(40),
  ]
  const svg = plotLog(`${log.join('\n')}\n`)
  const points = svg.match(/<path [^>]*d="M([^"]*)"/)![1]!.split('L')
  assert.equal(points.length, 3)
  assert.ok(!svg.includes('>pairs 9<'))
  assert.throws(() => plotLog('\n'), /the log has no lines/)
})
