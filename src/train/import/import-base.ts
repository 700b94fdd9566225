// Import of a pre-trained checkpoint: from its files to the folder of a base. Reads top to bottom; knows no format.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FEATURES } from '../../critic/features.ts'
import { type Manifest, writeArtifact } from '../../critic/manifest.ts'
import { FLAGS, SLOTS } from '../../critic/parts.ts'
import { createTokenizer } from '../../critic/tokenizer.ts'
import { OPSET } from '../engine/graph.ts'
import { exportSampler } from '../export.ts'
import { countWeights } from '../model/config.ts'
import { openBytes } from './bytes.ts'
import { type Checkpoint, configOf, trunkWeights } from './checkpoint.ts'
import { openGgufCheckpoint } from './gguf-checkpoint.ts'
import { openHuggingFace } from './hugging-face.ts'
import { withSparRows, withSparTokens } from './vocabulary.ts'

export interface ImportOptions {
  /** A GGUF file, a safetensors file, or a folder. */
  readonly from: string
  /** Folder of the artifact to write. */
  readonly out: string
  readonly version: string
  readonly command: string
  readonly createdAt: string
  readonly print: { write(text: string): unknown }
}

/** Longest row the solver asks of an imported base, in tokens; the checkpoint's own window where that is shorter. */
const MAX_WINDOW = 2048
/** Width of the step head that training adds. */
const HEAD_WIDTH = 64
/** A protobuf file ends at 2 GiB; the graph itself needs a little. */
const MAX_BYTES = 2 ** 31 - 2 ** 24

/** The files a checkpoint is read from: what their hash identifies. */
function sourceFiles(from: string): string[] {
  if (!statSync(from).isDirectory()) return [from]
  return readdirSync(from)
    .filter(file => /^(config\.json|tokenizer\.json|.*\.safetensors)$/.test(file))
    .sort()
    .map(file => join(from, file))
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of paths) {
    const source = openBytes(path)
    for (let at = 0; at < source.size; at += 1 << 26)
      hash.update(source.read(at, Math.min(1 << 26, source.size - at)))
    source.close()
  }
  return hash.digest('hex')
}

/** Opens whatever is at a path. @throws Error when nothing there can be read, naming it. */
function openCheckpoint(path: string): Checkpoint {
  if (!existsSync(path)) throw new Error(`${path} does not exist`)
  if (path.endsWith('.gguf')) return openGgufCheckpoint(path)
  if (!statSync(path).isDirectory()) {
    if (path.endsWith('.safetensors')) return openHuggingFace(path)
    throw new Error(`${basename(path)} is neither a .gguf nor a .safetensors file`)
  }
  const ggufs = readdirSync(path).filter(file => file.endsWith('.gguf'))
  if (ggufs.length === 1 && !existsSync(join(path, 'config.json')))
    return openGgufCheckpoint(join(path, ggufs[0]!))
  return openHuggingFace(path)
}

/**
 * Imports a checkpoint and writes the artifact of a base. @returns its manifest.
 * @throws Error naming what is missing, corrupt, too large or not supported.
 */
export async function importBase(options: ImportOptions): Promise<Manifest> {
  const { from, out, print } = options
  const checkpoint = openCheckpoint(from)
  try {
    const { decoder, name } = checkpoint
    const additions = { slots: SLOTS, flags: FLAGS, features: FEATURES.length, headWidth: HEAD_WIDTH }
    const vocabulary = withSparTokens(name, checkpoint.tokenizer)
    createTokenizer(vocabulary.json) // fails here rather than in a worker
    const imported = configOf(checkpoint, additions)
    print.write(`reading ${name}: ${decoder.architecture}, ${decoder.layers} layers, ${decoder.width} wide\n`)
    const { config, weights } = withSparRows(imported, trunkWeights(checkpoint, imported))
    if (vocabulary.tokens > config.vocab)
      throw new Error(`the tokenizer of ${name} has more tokens than its embedding has rows`)
    const count = countWeights(weights)
    if (count * 4 > MAX_BYTES)
      throw new Error(
        `${name} has ${count} weights, ${(count * 4) / 2 ** 30} GiB as float32; an ONNX file holds less than 2 GiB`,
      )

    print.write(`writing ${count} weights\n`)
    mkdirSync(out, { recursive: true })
    return writeArtifact(
      out,
      {
        'model.onnx': await exportSampler(config, weights),
        'tokenizer.json': JSON.stringify(vocabulary.json),
      },
      {
        kind: 'base',
        version: options.version,
        created_at: options.createdAt,
        parent: null,
        opset: OPSET,
        model: config,
        max_length: Math.min(MAX_WINDOW, decoder.window),
        features: FEATURES,
        metrics: { imported_from: name, architecture: decoder.architecture },
        data_hash: hashOf(sourceFiles(from)),
        seed: 0,
        command: options.command,
      },
    )
  } finally {
    checkpoint.close()
  }
}
