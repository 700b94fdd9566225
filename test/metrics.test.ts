// The critic's metrics as Prometheus reads them: stages, runs and the device, each with its version.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../src/metrics.ts'

test('calls and runs of a critic are counted by stage, version and device', async () => {
  const metrics = createMetrics()
  const by = { critic: 'a@1', device: 'cpu' }
  metrics.criticRun({ ...by, rows: 3, tokens: 150, cachedTokens: 0, cacheBytes: 1000 })
  metrics.criticRun({ ...by, rows: 1, tokens: 500, cachedTokens: 100, cacheBytes: 2000 })
  metrics.criticRun({ ...by, rows: 2, tokens: 0, cachedTokens: 250, cacheBytes: 2000 })
  metrics.criticCall({ ...by, timing: { queue: 2, tokenise: 0.2, infer: 30, total: 32.2 } })
  metrics.serving(by)
  metrics.serving({ critic: 'a@2', device: 'webgpu' })
  const lines = (await metrics.render()).text.split('\n')
  for (const line of [
    'spar_critic_run_rows_sum{critic="a@1",device="cpu"} 4',
    'spar_critic_run_rows_bucket{le="1",critic="a@1",device="cpu"} 1',
    'spar_critic_run_tokens_sum{critic="a@1",device="cpu"} 650',
    'spar_critic_prefix_tokens_total{critic="a@1",device="cpu",result="hit"} 350',
    'spar_critic_prefix_tokens_total{critic="a@1",device="cpu",result="miss"} 650',
    'spar_critic_prefix_cache_bytes{critic="a@1",device="cpu"} 2000',
    'spar_critic_stage_duration_seconds_sum{stage="queue",critic="a@1",device="cpu"} 0.002',
    'spar_critic_stage_duration_seconds_bucket{le="0.00025",stage="tokenise",critic="a@1",device="cpu"} 1',
    'spar_critic_stage_duration_seconds_bucket{le="0.025",stage="infer",critic="a@1",device="cpu"} 0',
    'spar_critic_stage_duration_seconds_bucket{le="0.05",stage="infer",critic="a@1",device="cpu"} 1',
    'spar_critic_stage_duration_seconds_count{stage="total",critic="a@1",device="cpu"} 1',
    'spar_critic_serving{version="a@2",device="webgpu"} 1',
  ])
    assert.ok(lines.includes(line), line)
  assert.ok(!lines.some(line => line.startsWith('spar_critic_serving{version="a@1"')))
  metrics.criticEnded(by)
  const after = (await metrics.render()).text
  assert.ok(!after.includes('spar_critic_prefix_cache_bytes{'), 'a cache that is gone has no size')
})
