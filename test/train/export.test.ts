// The exported serving graphs: the critic's and the sampler's equal the forward pass that was trained, for any batch and length.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eagerEngine } from '../../src/train/engine/eager.ts'
import { tracedEngine } from '../../src/train/engine/engine.ts'
import type { HostTensor } from '../../src/train/engine/port.ts'
import type { TensorFunction, TensorSpec } from '../../src/train/engine/trace.ts'
import { exportCritic, exportSampler, readWeights } from '../../src/train/export.ts'
import { headDim, type ModelConfig, type Weights } from '../../src/train/model/config.ts'
import { stepLogits } from '../../src/train/model/head.ts'
import { lmLogits, trunk } from '../../src/train/model/trunk.ts'
import { createRng, type Rng } from '../../src/train/rng.ts'
import { assertClose } from './engine/close.ts'
import { openRunner } from './engine/run-model.ts'
import {
  busyWeights,
  emptyPast,
  float32,
  int32,
  positions,
  tinyConfig,
  weightFeeds,
  withoutPast,
} from './engine/tiny-model.ts'

type Feeds = Record<string, HostTensor>

function criticFeeds(config: ModelConfig, rows: number, length: number, steps: number, rng: Rng): Feeds {
  const grid = [rows, length]
  return {
    tokens: int32(grid, () => rng.int(0, config.vocab - 1)),
    slots: int32(grid, () => rng.int(0, config.slots - 1)),
    flags: int32(grid, () => rng.int(0, config.flags - 1)),
    positions: positions(rows, length),
    step_index: int32([steps], () => rng.int(0, rows * length - 1)),
    features: float32([steps, config.features], () => rng.normal()),
  }
}

/** The forward pass as training has it, with static shapes. */
function forward(config: ModelConfig): TensorFunction {
  return x => {
    const { tokens, slots, flags, positions } = x as Record<'tokens' | 'slots' | 'flags' | 'positions', never>
    const { hidden } = trunk(config, x, { tokens, slots, flags, positions, keyPositions: positions })
    return {
      logits: stepLogits(x, { hidden, stepIndex: x['step_index']!, features: x['features']! }),
      words: lmLogits(x, hidden),
    }
  }
}

const specsOf = (feeds: Feeds): Record<string, TensorSpec> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      { shape, dtype: data instanceof Float32Array ? 'float32' : 'int32' } as const,
    ]),
  )

for (const kvHeads of [4, 2]) {
  test(`the critic's graph equals the static forward pass and eager, ${kvHeads} key heads of 4`, async () => {
    const config = tinyConfig(kvHeads)
    const rng = createRng(`critic ${kvHeads}`)
    const weights = busyWeights(config, rng)
    const score = await openRunner(await exportCritic(config, weights))
    for (const [rows, length, steps] of [
      [1, 1, 1],
      [1, 9, 4],
      [3, 6, 1],
      [2, 17, 11],
      [5, 2, 7],
    ] as const) {
      const feeds = criticFeeds(config, rows, length, steps, rng)
      const all = { ...feeds, ...weightFeeds(config, weights) }
      const { logits } = await score({ ...feeds, ...withoutPast(config, rows, length) })
      for (const engine of [tracedEngine({ threads: 1 }), eagerEngine()]) {
        const program = await engine.compile(forward(config), specsOf(all))
        const want = await program.run(all)
        assertClose(logits!, want['logits']!, `${engine.name} ${rows}x${length}, ${steps} steps`, 1e-4, 0.1)
      }
    }
  })
}

test('padding changes no score', async () => {
  const config = tinyConfig(2)
  const rng = createRng('padding')
  const score = await openRunner(await exportCritic(config, busyWeights(config, rng)))
  const [rows, length] = [2, 8]
  const feeds = criticFeeds(config, rows, length, 5, rng)
  const { logits: want } = await score({ ...feeds, ...withoutPast(config, rows, length) })
  for (const extra of [1, 5, 40]) {
    const wide = length + extra
    const padded = (name: string) =>
      int32([rows, wide], i =>
        i % wide < length ? feeds[name]!.data[Math.floor(i / wide) * length + (i % wide)]! : 0,
      )
    const { logits: got } = await score({
      ...feeds,
      tokens: padded('tokens'),
      slots: padded('slots'),
      flags: padded('flags'),
      positions: positions(rows, wide),
      ...withoutPast(config, rows, wide),
      step_index: int32([5], i => {
        const at = feeds['step_index']!.data[i]!
        return Math.floor(at / length) * wide + (at % length)
      }),
    })
    want!.data.forEach((x, i) => {
      assert.ok(Math.abs(got!.data[i]! - x) < 1e-5, `${extra} more: ${got!.data[i]} for ${x}`)
    })
  }
})

test('a score does not see later tokens', async () => {
  const config = tinyConfig(2)
  const rng = createRng('causal')
  const score = await openRunner(await exportCritic(config, busyWeights(config, rng)))
  const feeds: Feeds = {
    ...criticFeeds(config, 1, 12, 1, rng),
    ...withoutPast(config, 1, 12),
    step_index: int32([1], () => 6),
  }
  const { logits: want } = await score(feeds)
  const altered = (at: number, name: string, size: number): HostTensor => ({
    data: Int32Array.from(feeds[name as 'tokens']!.data, (x, i) => (i === at ? (x + 1) % size : x)),
    shape: [1, 12],
  })
  const change = async (at: number) => {
    const { logits } = await score({
      ...feeds,
      tokens: altered(at, 'tokens', config.vocab),
      slots: altered(at, 'slots', config.slots),
      flags: altered(at, 'flags', config.flags),
    })
    return Math.abs(logits!.data[0]! - want!.data[0]!)
  }
  for (const at of [7, 8, 11]) assert.ok((await change(at)) < 1e-5, `token ${at} is later`)
  for (const at of [0, 3, 6]) assert.ok((await change(at)) > 1e-3, `token ${at} is seen`)
})

for (const kvHeads of [4, 2]) {
  test(`rows that go on from pasts of any lengths score as whole ones, ${kvHeads} key heads of 4`, async () => {
    const config = tinyConfig(kvHeads)
    const rng = createRng(`past ${kvHeads}`)
    const score = await openRunner(await exportCritic(config, busyWeights(config, rng)))
    const [rows, total, dim] = [4, 11, headDim(config)]
    const whole: Feeds = {
      ...criticFeeds(config, rows, total, rows, rng),
      step_index: int32([rows], r => r * total + total - 1),
    }
    const outputs = await score({ ...whole, ...withoutPast(config, rows, total) })
    for (const pasts of [
      [4, 4, 4, 4],
      [0, 3, 10, 1],
      [7, 0, 0, 0],
    ]) {
      const past = Math.max(...pasts) + 2 // padded with keys that no row has
      const length = total - Math.min(...pasts)
      const from = (i: number) => pasts[Math.floor(i / length)]! + (i % length)
      const cut = (name: string) =>
        int32([rows, length], i =>
          from(i) < total ? whole[name]!.data[Math.floor(i / length) * total + from(i)]! : 0,
        )
      const states = Object.entries(outputs)
        .filter(([name]) => name !== 'logits')
        .map(([name, { data }]) => {
          const state = float32([rows, kvHeads, past, dim], i => {
            const [head, at] = [Math.floor(i / dim / past), Math.floor(i / dim) % past]
            const known = pasts[Math.floor(head / kvHeads)]!
            return at < known ? data[(head * total + at) * dim + (i % dim)]! : 9
          })
          return [name.replace('new_', 'past_'), state] as const
        })
      const { logits } = await score({
        tokens: cut('tokens'),
        slots: cut('slots'),
        flags: cut('flags'),
        positions: float32([rows, length], from),
        key_positions: float32([rows, past + length], i => {
          const [r, at] = [Math.floor(i / (past + length)), i % (past + length)]
          if (at >= past) return pasts[r]! + at - past
          return at < pasts[r]! ? at : 1e9
        }),
        step_index: int32([rows], r => r * length + total - 1 - pasts[r]!),
        features: whole['features']!,
        ...Object.fromEntries(states),
      })
      outputs['logits']!.data.forEach((want, r) => {
        const got = logits!.data[r]!
        assert.ok(Math.abs(got - want) < 1e-5, `pasts ${pasts}, row ${r}: ${got} for ${want}`)
      })
    }
  })
}

/** Feeds of the sampler for tokens `from` to `to` of a sequence, after a cache of the first `from`. */
function samplerFeeds(
  sequence: Feeds,
  rows: number,
  total: number,
  from: number,
  to: number,
  cache: Feeds,
): Feeds {
  const cut = (name: string) =>
    int32(
      [rows, to - from],
      i => sequence[name]!.data[Math.floor(i / (to - from)) * total + from + (i % (to - from))]!,
    )
  return {
    tokens: cut('tokens'),
    slots: cut('slots'),
    flags: cut('flags'),
    positions: positions(rows, to - from, from),
    key_positions: positions(rows, to),
    ...cache,
  }
}

const asPast = (outputs: Readonly<Feeds>): Feeds =>
  Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name !== 'logits')
      .map(([name, tensor]) => [`past_${name}`, tensor]),
  )

for (const kvHeads of [4, 2]) {
  test(`the sampler with its cache equals the sampler without and eager, ${kvHeads} key heads of 4`, async () => {
    const config = tinyConfig(kvHeads)
    const rng = createRng(`sampler ${kvHeads}`)
    const weights = busyWeights(config, rng)
    const run = await openRunner(await exportSampler(config, weights))
    const [rows, total] = [3, 10]
    const sequence = criticFeeds(config, rows, total, 1, rng)
    const { logits: whole } = await run(
      samplerFeeds(sequence, rows, total, 0, total, emptyPast(config, rows)),
    )
    assert.deepEqual([...whole!.shape], [rows, total, config.vocab])

    const all = { ...sequence, ...weightFeeds(config, weights) }
    const eager = await (await eagerEngine().compile(forward(config), specsOf(all))).run(all)
    assertClose(
      { data: whole!.data, shape: [rows * total, config.vocab] },
      eager['words']!,
      'eager',
      1e-4,
      0.1,
    )

    for (const cuts of [
      [4, 10],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [7, 8, 10],
    ]) {
      let cache = emptyPast(config, rows)
      let from = 0
      for (const to of cuts) {
        const outputs = await run(samplerFeeds(sequence, rows, total, from, to, cache))
        for (let r = 0; r < rows; r++) {
          for (let t = from; t < to; t++) {
            for (let word = 0; word < config.vocab; word++) {
              const got = outputs['logits']!.data[(r * (to - from) + t - from) * config.vocab + word]!
              const want = whole!.data[(r * total + t) * config.vocab + word]!
              assert.ok(Math.abs(got - want) < 1e-5, `cuts ${cuts}, row ${r}, token ${t}: ${got} for ${want}`)
            }
          }
        }
        cache = asPast(outputs)
        from = to
      }
      assert.deepEqual([...cache['past_key.1']!.shape], [rows, kvHeads, total, headDim(config)])
    }
  })
}

test('weights read back are those exported, and a base has no head', async () => {
  const config = tinyConfig(2)
  const weights: Weights = {
    ...busyWeights(config, createRng('weights')),
    slot_embed: new Float32Array(6 * 16),
  }
  const fromCritic = readWeights(config, await exportCritic(config, weights))
  assert.deepEqual(fromCritic, weights)
  const fromBase = readWeights(config, await exportSampler(config, weights))
  assert.deepEqual(
    Object.keys(weights).filter(name => !(name in fromBase)),
    Object.keys(weights).filter(name => name.startsWith('head.')),
  )
  for (const [name, data] of Object.entries(fromBase)) assert.deepEqual(data, weights[name])
})

test('reading weights for a model of another size fails by the weight’s name', async () => {
  const config = tinyConfig(2)
  const model = await exportCritic(config, busyWeights(config, createRng('size')))
  assert.throws(
    () => readWeights({ ...config, vocab: 41 }, model),
    /weight embed has 2560 bytes, expected 2624/,
  )
})
