// Fifty swaps to fresh critics under load: does a request fail, does memory grow, how long is nobody answered?
// `npm run -s bench -- swap [--swaps 50] [--clients 32]`; reads the memory from /proc, so it runs on Linux.
import { copyFileSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SHIPPED_CRITIC } from '../src/cli/options.ts'
import { startService } from '../src/cli/service-process.ts'
import { openArtifact } from '../src/critic/manifest.ts'
import { quantile, startLoad } from './lib/load.ts'

/** Swaps before the memory is read first: by then as many workers are kept as ever will be. */
const WARM_UP = 5
const BETWEEN_MS = 500
/** More solutions than are asked for between two swaps: every critic computes, and fills a prefix cache of its own. */
const WORK = Array.from({ length: 2000 }, (_, i) => ({
  problem: `Tom has ${i} boxes of 4 pens. How many pens?`,
  steps: [`${i} * 4 = ${4 * i}.`, `So he has ${4 * i} pens.`],
}))

/** Copies of the shipped critic under names of their own, which share its files on disk. */
function plantCritics(dataDir: string, count: number): string[] {
  const first = join(dataDir, 'critics', 'swap-0')
  const { manifest } = openArtifact(SHIPPED_CRITIC)
  return Array.from({ length: count }, (_, i) => {
    const version = `swap-${i}`
    const dir = join(dataDir, 'critics', version)
    mkdirSync(dir)
    for (const file of Object.keys(manifest.files))
      if (i === 0) copyFileSync(join(SHIPPED_CRITIC, file), join(dir, file))
      else linkSync(join(first, file), join(dir, file))
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, version }))
    return version
  })
}

const rssMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024

export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { swaps: { type: 'string', default: '50' }, clients: { type: 'string', default: '32' } },
  })
  const swaps = Number(values.swaps)
  const service = await startService({ SPAR_LOG_LEVEL: 'info' })
  try {
    const versions = plantCritics(service.dataDir, WARM_UP + swaps)
    const load = startLoad(service.url, WORK, Number(values.clients))
    let before = 0
    for (const [i, version] of versions.entries()) {
      if (i === WARM_UP) before = rssMb(service.pid)
      const { status, body } = await service.call('POST', `/admin/critics/${version}/promote`)
      if (status !== 200) throw new Error(`the swap to ${version} failed: ${JSON.stringify(body)}`)
      await sleep(BETWEEN_MS)
      if (i % 10 === 9) process.stderr.write(`${i + 1} swaps, ${rssMb(service.pid).toFixed(0)} MB\n`)
    }
    const growth = rssMb(service.pid) - before
    const seen = await load.stop()
    return {
      bench: 'swap',
      swaps,
      failed: seen.failures.length,
      rss_growth_mb: Math.round(growth),
      longest_pause_ms: Math.round(seen.longestPauseMs),
      rss_mb: Math.round(before + growth),
      requests: seen.requests,
      critics_seen: seen.critics.length,
      p99_ms: Math.round(quantile(seen.ms, 0.99)),
      failures: [...new Set(seen.failures)].slice(0, 5),
      node: process.version,
    }
  } finally {
    await service.stop()
  }
}
