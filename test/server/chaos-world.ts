// A Spar whose upstream is reached as in production, and ways to wait for it: what the tests of faults and departures share.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddressRanges } from '../../src/llm/address-guard.ts'
import type { UpstreamConfig } from '../../src/llm/upstreams.ts'
import { parseAllowedHosts } from '../../src/llm/url-guard.ts'
import { createLlms } from '../../src/llms.ts'
import type { LlmServer } from '../fakes/llm-server.ts'
import { createWorld, type WorldOptions } from './world.ts'

export const problem = 'Tom has 5 apples, buys 7, then 30 more. How many has he?'
/** What a search may take. */
export const DEADLINE_MS = 20_000

/** Deadlines of the upstream's calls, and whether they are streamed. */
type Settings = Pick<UpstreamConfig, 'timeoutMs' | 'firstTokenTimeoutMs' | 'stream' | 'concurrency'>

/** A Spar whose upstream `fake` is reached as in production. */
export function createSpar(
  t: TestContext,
  llm: Pick<LlmServer, 'url'>,
  settings: Settings,
  more: WorldOptions = {},
) {
  const fake = { name: 'fake', baseUrl: llm.url, model: 'adder', ...settings }
  const llms = createLlms({
    upstreams: new Map([['fake', fake]]),
    allowedHosts: parseAllowedHosts('localhost'),
    guard: { privateRanges: parseAddressRanges('') },
    sampler: () => assert.fail('not asked'),
    first: 'fake',
  })
  return createWorld(t, { llms, ...more })
}

export const llm = { upstream: 'fake' }

/** Waits until no call has been open for a while, for at most a few seconds: a busy machine takes in late what was sent in time. */
export async function settled(isIdle: () => boolean): Promise<void> {
  for (let polls = 0, idle = 0; idle < 10; polls++) {
    assert.ok(polls < 1000, 'calls are still open')
    idle = isIdle() ? idle + 1 : 0
    await sleep(5)
  }
}

/** A row of the table that the tests print. */
export const cells = (...values: readonly (string | number)[]) => `| ${values.join(' | ')} |`
