// Agreement of an imported GGUF file with llama.cpp: next-token log-probabilities on short texts, for the file as it is and dequantised.
// npm run -s bench -- import --gguf <file.gguf> --llama <folder with node_modules/node-llama-cpp> [--threads 2]
// node-llama-cpp is no dependency of Spar: `npm install --ignore-scripts node-llama-cpp` in a folder of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import * as ort from 'onnxruntime-node'
import { readManifest } from '../src/critic/manifest.ts'
import { createTokenizer } from '../src/critic/tokenizer.ts'
import { openSession } from '../src/train/engine/engine.ts'
import { openGguf } from '../src/train/import/gguf.ts'
import { importBase } from '../src/train/import/import-base.ts'
import { SHIFT } from '../src/train/import/vocabulary.ts'
import { headDim } from '../src/train/model/config.ts'
import { ggufFloats, type WrittenValue, writeGguf } from '../test/fakes/gguf-file.ts'

const TEXTS = [
  'The capital of France is Paris, and the capital of Spain is Madrid.',
  'Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May.',
  'Water boils at 100 degrees Celsius at sea level.',
  'def add(a, b):\n    return a + b\n',
  'If 3x + 5 = 20, then x = 5 because 3 * 5 = 15.',
  "It's raining; they'll stay at home, won't they?",
  'Once upon a time there was a small dragon who could not breathe fire.',
  'Les élèves étudient les mathématiques à l’école.',
  '{"name": "Ada", "born": 1815, "fields": ["mathematics", "computing"]}',
  'So the answer is 48 / 2 = 24 clips in May and 72 clips altogether.',
]

/** For each position of each text, the log-probabilities of all tokens that follow it. */
interface Readings {
  readonly tokens: readonly (readonly number[])[]
  readonly logs: readonly (readonly Float32Array[])[]
}

function logSoftmax(logits: Float32Array): Float32Array {
  const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const total = Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0)) + max
  return logits.map(x => x - total)
}

/** The imported model, read through its artifact; ids are those of the source. */
async function readSpar(dir: string, threads: number): Promise<Readings> {
  const model = readManifest(dir)!.model
  const tokenizer = createTokenizer(JSON.parse(readFileSync(join(dir, 'tokenizer.json'), 'utf8')))
  const session = await openSession(readFileSync(join(dir, 'model.onnx')), { threads })
  const tokens = TEXTS.map(text => tokenizer.encode(text))
  const logs: Float32Array[][] = []
  for (const ids of tokens) {
    const grid = [1, ids.length]
    const ints = (values: readonly number[]) => new ort.Tensor('int32', Int32Array.from(values), grid)
    const none = ids.map(() => 0)
    const places = new ort.Tensor('float32', Float32Array.from(ids.keys()), grid)
    const empty = new ort.Tensor('float32', new Float32Array(0), [1, model.kvHeads, 0, headDim(model)])
    const past = Array.from({ length: model.layers }, (_, i) => [`past_key.${i}`, `past_value.${i}`]).flat()
    const outputs = await session.run({
      ...{
        tokens: ints(ids),
        slots: ints(none),
        flags: ints(none),
        positions: places,
        key_positions: places,
      },
      ...Object.fromEntries(past.map(name => [name, empty])),
    })
    const all = outputs['logits']!.data as Float32Array
    logs.push(ids.map((_, t) => logSoftmax(all.slice(t * model.vocab + SHIFT, (t + 1) * model.vocab))))
  }
  await session.release()
  return { tokens: tokens.map(ids => ids.map(id => id - SHIFT)), logs }
}

/** What is used of node-llama-cpp. */
interface Llama {
  loadModel(options: object): Promise<{
    tokenize(text: string, special: boolean): number[]
    createContext(options: object): Promise<{ getSequence(): LlamaSequence; dispose(): Promise<void> }>
    dispose(): Promise<void>
  }>
}
interface LlamaSequence {
  clearHistory(): Promise<void>
  controlledEvaluate(
    input: readonly unknown[],
  ): Promise<({ next: { probabilities?: Map<number, number> } } | undefined)[]>
}

/** llama.cpp on the same file, its cache in float32. */
async function readLlama(folder: string, file: string, threads: number): Promise<Readings> {
  const library = (await import(join(folder, 'node_modules/node-llama-cpp/dist/index.js'))) as {
    getLlama(options: object): Promise<Llama>
  }
  const llama = await library.getLlama({ gpu: false, build: 'never', logLevel: 'error' })
  const model = await llama.loadModel({ modelPath: file })
  const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' }
  const context = await model.createContext({ contextSize: 512, threads, flashAttention: false, ...cache })
  const sequence = context.getSequence()
  const tokens = TEXTS.map(text => model.tokenize(text, false))
  const options = { temperature: 1, topK: 0, topP: 1, minP: 0 }
  const logs: Float32Array[][] = []
  for (const ids of tokens) {
    await sequence.clearHistory()
    const out = await sequence.controlledEvaluate(
      ids.map(id => [id, { generateNext: { probabilities: true, options } }]),
    )
    logs.push(
      out.map(entry => {
        const found = entry?.next.probabilities ?? new Map<number, number>()
        const values = new Float32Array(found.size)
        for (const [token, p] of found) values[token] = Math.log(p)
        return logSoftmax(values) // its sums are off by 1e-4
      }),
    )
  }
  await context.dispose()
  await model.dispose()
  return { tokens, logs }
}

/** The same file with every tensor in float32: what the stored numbers say, without llama.cpp's rounding of activations. */
function writeDequantised(from: string, to: string): void {
  const file = openGguf(from)
  const metadata = Object.fromEntries(file.metadata) as Record<string, WrittenValue>
  const tensors = [...file.shapes].map(([name, shape]) => [name, ggufFloats(shape, file.read(name))] as const)
  writeGguf(to, { ...metadata, 'general.file_type': 0 }, Object.fromEntries(tensors))
  file.close()
}

/** Counts positions with another likeliest token, and differences of log-probabilities over the reference's ten likeliest tokens. */
function compare(got: Readings, want: Readings) {
  const differences: number[] = []
  let equal = 0
  let widestGap = 0
  want.logs.flat().forEach((reference, i) => {
    const mine = got.logs.flat()[i]!
    const top = [...reference.keys()].sort((a, b) => reference[b]! - reference[a]!).slice(0, 10)
    const best = mine.reduce((a, x, token) => (x > mine[a]! ? token : a), 0)
    if (best === top[0]) equal++
    else widestGap = Math.max(widestGap, reference[top[0]!]! - reference[best]!)
    for (const token of top) differences.push(Math.abs(mine[token]! - reference[token]!))
  })
  differences.sort((a, b) => a - b)
  const short = (x: number) => Number(x.toPrecision(3))
  return {
    top1_equal: equal,
    /** Log-probability by which the reference prefers its own first choice where the choices differ. */
    top1_widest_gap: short(widestGap),
    logprob_max: short(differences.at(-1)!),
    logprob_p99: short(differences[Math.floor(differences.length * 0.99)]!),
    logprob_mean: short(differences.reduce((a, b) => a + b, 0) / differences.length),
  }
}

/** Imports the file, reads the texts with Spar and with llama.cpp, and compares. */
export async function run(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gguf: { type: 'string' },
      llama: { type: 'string' },
      threads: { type: 'string', default: '2' },
    },
  })
  const { gguf, llama } = values
  if (!gguf || !llama) throw new Error('--gguf and --llama are needed, see the head of bench/import.ts')
  const threads = Number(values.threads)
  const folder = mkdtempSync(join(tmpdir(), 'spar-import-'))
  try {
    const out = join(folder, 'base')
    const facts = { version: 'bench', command: 'bench import', createdAt: new Date().toISOString() }
    await importBase({ from: gguf, out, ...facts, print: process.stderr })
    const spar = await readSpar(out, threads)
    process.stderr.write('llama.cpp on the file\n')
    const asStored = await readLlama(llama, gguf, threads)
    const float = join(folder, 'float.gguf')
    writeDequantised(gguf, float)
    process.stderr.write('llama.cpp on the dequantised file\n')
    const dequantised = await readLlama(llama, float, threads)
    return {
      bench: 'import',
      file: basename(gguf),
      texts: TEXTS.length,
      positions: spar.tokens.flat().length,
      same_tokens: JSON.stringify(spar.tokens) === JSON.stringify(asStored.tokens),
      spar_to_dequantised: compare(spar, dequantised),
      spar_to_stored: compare(spar, asStored),
      llama_stored_to_dequantised: compare(asStored, dequantised),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
