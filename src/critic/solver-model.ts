// The built-in solver: samples solutions from a base model with a key-value cache, on the calling thread.
// Knows no threads and no search.
import './quiet-runtime.ts'

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { createReader, NUMBER_FLAGS } from '../answer/reader.ts'
import { AppError } from '../errors.ts'
import { encodePrompt } from './encode.ts'
import { type Artifact, type ModelShape, openArtifact } from './manifest.ts'
import { SLOTS } from './parts.ts'
import { openModel, openTokenizer, type ScorerOptions } from './scorer.ts'
import { EOS, PAD, PROBLEM, STEP, type TextTokenizer } from './tokenizer.ts'

/** One sample of a batch; all of a batch share problem and steps. */
export interface SampleRequest {
  readonly until: 'step' | 'end'
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
}

export interface Sample {
  /** New text only; steps are separated by a blank line. */
  readonly text: string
  /** True when the model ended its solution. */
  readonly ended: boolean
  readonly promptTokens: number
  readonly completionTokens: number
}

export interface SolverModel {
  readonly artifact: Artifact
  /** Samples one text per request. `isGone(i)` is asked between tokens: a request that is gone stops. */
  sample(
    problem: string,
    steps: readonly string[],
    requests: readonly SampleRequest[],
    isGone?: (i: number) => boolean,
  ): Promise<Sample[]>
  release(): Promise<void>
}

/** A text being written. */
interface Draft {
  readonly request: SampleRequest
  readonly random: () => number
  readonly steps: string[]
  readonly current: number[]
  tokens: number
  ended: boolean
  done: boolean
}

/** Uniform numbers in [0, 1) from a seed (a 32-bit Weyl sequence through the MurmurHash3 finalizer). */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let h = state
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
  }
}

/**
 * Draws a token from softmax(logits / temperature), greedily at temperature 0; `<pad>` and `<problem>` are never drawn. Plain loops:
 * with one callback a token this took a quarter of the time of a batch.
 */
export function drawToken(logits: Float32Array, temperature: number, random: () => number): number {
  let best = EOS
  for (let i = 0; i < logits.length; i++)
    if (i !== PAD && i !== PROBLEM && logits[i]! > logits[best]!) best = i
  if (temperature <= 0) return best
  const most = logits[best]!
  const weights = new Float32Array(logits.length)
  let total = 0
  for (let i = 0; i < weights.length; i++) {
    if (i === PAD || i === PROBLEM) continue
    weights[i] = Math.exp((logits[i]! - most) / temperature)
    total += weights[i]!
  }
  let left = random() * total
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!
    if (left < 0) return i
  }
  return best
}

interface Cache {
  readonly tensors: Record<string, ort.Tensor>
  readonly length: number
}

/** Channels of the token `next` that follows `before` in the current step: the mark of a number that ends there. */
export function channelsAfter(
  problem: string,
  steps: readonly string[],
  before: string,
  next: string,
): { slot: number; flag: number } {
  const none = { slot: 0, flag: 0 }
  if (!/[\d})%]$/.test(before) || /^\d/.test(next)) return none
  const reader = createReader(problem)
  for (const step of steps) reader.read(step)
  const mark = reader.read(before + next).numbers.find(number => number.end === before.length)
  return mark ? { slot: Math.min(mark.slot, SLOTS - 1), flag: NUMBER_FLAGS.indexOf(mark.flag) + 1 } : none
}

/** Opens a base's folder for sampling. @throws {AppError} CRITIC_INVALID when the folder or its hashes are wrong. */
export async function openSolver(dir: string, options: ScorerOptions = {}): Promise<SolverModel> {
  const artifact = openArtifact(dir)
  const { model, max_length: maxLength, kind, version } = artifact.manifest
  if (kind !== 'base') throw new AppError('CRITIC_INVALID', `${version} is not a base model`)
  const tokenizer = openTokenizer(artifact)
  const session = await openModel(readFileSync(join(dir, 'model.onnx')), options)
  const layers = Array.from({ length: model.layers }, (_, i) => i)
  const headDim = model.headDim ?? model.width / model.heads

  const emptyCache = (rows: number): Cache => ({
    length: 0,
    tensors: Object.fromEntries(
      layers.flatMap(i =>
        ['key', 'value'].map(kind => [
          `past_${kind}.${i}`,
          new ort.Tensor('float32', new Float32Array(0), [rows, model.kvHeads, 0, headDim]),
        ]),
      ),
    ),
  })

  /** Runs `length` new tokens of every row; returns the logits of each row's last token and the grown cache. */
  async function forward(
    cache: Cache,
    rows: number,
    channels: Record<'tokens' | 'slots' | 'flags', number[]>,
  ) {
    const length = channels.tokens.length / rows
    const total = cache.length + length
    const grid = [rows, length]
    const outputs = await session.run({
      ...cache.tensors,
      tokens: new ort.Tensor('int32', Int32Array.from(channels.tokens), grid),
      slots: new ort.Tensor('int32', Int32Array.from(channels.slots), grid),
      flags: new ort.Tensor('int32', Int32Array.from(channels.flags), grid),
      positions: new ort.Tensor(
        'float32',
        Float32Array.from({ length: rows * length }, (_, i) => cache.length + (i % length)),
        grid,
      ),
      key_positions: new ort.Tensor(
        'float32',
        Float32Array.from({ length: rows * total }, (_, i) => i % total),
        [rows, total],
      ),
    })
    const all = outputs['logits']!.data as Float32Array
    const last = Array.from({ length: rows }, (_, r) => {
      const at = (r * length + length - 1) * model.vocab
      return all.subarray(at, at + model.vocab)
    })
    const grown = Object.entries(outputs).filter(([name]) => name !== 'logits')
    return {
      last,
      cache: {
        length: total,
        tensors: Object.fromEntries(grown.map(([name, t]) => [`past_${name}`, t as ort.Tensor])),
      },
    }
  }

  return {
    artifact,
    async sample(problem, steps, requests, isGone = () => false) {
      const wanted = Math.max(...requests.map(request => request.maxTokens))
      const reserve = Math.min(wanted, maxLength >> 2)
      const prompt = encodePrompt(tokenizer, { problem, steps }, { window: maxLength, reserve })
      const drafts = requests.map<Draft>(request => ({
        request,
        random: seeded(request.seed),
        steps: [],
        current: [],
        tokens: 0,
        ended: false,
        done: false,
      }))
      const rows = drafts.length
      const start = await forward(emptyCache(1), 1, prompt)
      let cache = widen(start.cache, rows, model, headDim)
      let logits = drafts.map(() => start.last[0]!)
      while (true) {
        const next = { tokens: [] as number[], slots: [] as number[], flags: [] as number[] }
        drafts.forEach((draft, i) => {
          if (isGone(i) || cache.length + 1 >= maxLength) draft.done = true
          const { token, slot, flag } = draft.done
            ? { token: PAD, slot: 0, flag: 0 }
            : advance(draft, logits[i]!, tokenizer, problem, steps)
          next.tokens.push(token)
          next.slots.push(slot)
          next.flags.push(flag)
        })
        if (drafts.every(draft => draft.done)) break
        const out = await forward(cache, rows, next)
        cache = out.cache
        logits = out.last
        await new Promise(resolve => setImmediate(resolve)) // lets a cancel message in
      }
      return drafts.map(draft => ({
        text: [...draft.steps, tokenizer.decode(draft.current)].filter(step => step !== '').join('\n\n'),
        ended: draft.ended,
        promptTokens: prompt.tokens.length,
        completionTokens: draft.tokens,
      }))
    },
    release: () => session.release(),
  }
}

/** Repeats a one-row cache for every row of the batch. */
function widen(cache: Cache, rows: number, model: ModelShape, headDim: number): Cache {
  const shape = [rows, model.kvHeads, cache.length, headDim]
  const tensors = Object.entries(cache.tensors).map(([name, tensor]) => {
    const one = tensor.data as Float32Array
    const all = new Float32Array(one.length * rows)
    for (let r = 0; r < rows; r++) all.set(one, r * one.length)
    return [name, new ort.Tensor('float32', all, shape)] as const
  })
  return { length: cache.length, tensors: Object.fromEntries(tensors) }
}

/** Draws the draft's next token and its channels; marks the draft done when it ends, or when the step it was asked for ends. */
function advance(
  draft: Draft,
  logits: Float32Array,
  tokenizer: TextTokenizer,
  problem: string,
  given: readonly string[],
) {
  const { until, temperature, maxTokens } = draft.request
  // A step was asked for and is complete: one more look tells whether the solution ends here.
  if (until === 'step' && draft.steps.length > 0) {
    draft.ended = drawToken(logits, 0, draft.random) === EOS
    draft.done = true
    return { token: PAD, slot: 0, flag: 0 }
  }
  if (draft.tokens >= maxTokens) {
    draft.done = true
    return { token: PAD, slot: 0, flag: 0 }
  }
  const token = drawToken(logits, temperature, draft.random)
  draft.tokens++
  const before = tokenizer.decode(draft.current)
  const { slot, flag } = channelsAfter(
    problem,
    [...given, ...draft.steps],
    before,
    token === STEP || token === EOS ? '' : tokenizer.decode([token]),
  )
  if (token === EOS) {
    draft.ended = true
    draft.done = true
  } else if (token === STEP) {
    if (before.trim() !== '') draft.steps.push(before.trim())
    draft.current.length = 0
  } else draft.current.push(token)
  return { token, slot, flag }
}
