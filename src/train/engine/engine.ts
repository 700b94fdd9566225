// The engine port: compile a TensorFlow.js function once, run it many times on arrays. Two engines: traced to ONNX, or eager.
// Knows no model and no training.
import * as tf from '@tensorflow/tfjs'
import * as ort from 'onnxruntime-node'
import type { DType } from './graph.ts'
import { type TensorFunction, type TensorSpec, trace, withBackend } from './trace.ts'

/** A tensor outside the engine: row-major data with its shape. bool data are 0 and 1. */
export interface HostTensor {
  readonly data: Float32Array | Int32Array | Uint8Array
  readonly shape: readonly number[]
}

/** A compiled function. Outputs may be fed back as inputs without a copy. */
export interface Program {
  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>
  /** Frees what the program holds; it cannot run afterwards. */
  release(): Promise<void>
}

export interface Engine {
  readonly name: string
  compile(fn: TensorFunction, inputs: Readonly<Record<string, TensorSpec>>): Promise<Program>
}

export interface TracedOptions {
  /** Threads inside one operator. */
  readonly threads?: number
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
}

const ORT_TYPE: Readonly<Record<DType, 'float32' | 'int32' | 'bool'>> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
}

/** Opens a session on ONNX Runtime for the bytes of a model. */
export function openSession(model: Uint8Array, options: TracedOptions = {}): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [options.device ?? 'cpu'],
    intraOpNumThreads: options.threads ?? 2,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableCpuMemArena: true,
    logSeverityLevel: 3,
  })
}

const OUT = 'out:'
const prefixed = <V>(named: Record<string, V>): Record<string, V> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [OUT + name, value]))

/** The fast engine: traces to ONNX, runs on ONNX Runtime. `run` blocks the calling thread while it computes. */
export function tracedEngine(options: TracedOptions = {}): Engine {
  return {
    name: `onnxruntime-${options.device ?? 'cpu'}`,
    async compile(fn, inputs) {
      // An output may carry an input's name (new weights); inside the file names must differ.
      const renamed: TensorFunction = x => prefixed(fn(x))
      const session = await openSession(await trace(renamed, { inputs }), options)
      const used = new Set(session.inputNames)
      return {
        async run(feeds) {
          const tensors: Record<string, ort.Tensor> = {}
          for (const [name, { data, shape }] of Object.entries(feeds)) {
            if (used.has(name))
              tensors[name] = new ort.Tensor(ORT_TYPE[inputs[name]!.dtype], data as Float32Array, shape)
          }
          const outputs = await session.run(tensors)
          return Object.fromEntries(
            Object.entries(outputs).map(([name, t]) => [
              name.slice(OUT.length),
              { data: t.data as HostTensor['data'], shape: t.dims },
            ]),
          )
        },
        release: () => session.release(),
      }
    },
  }
}

/** Name of the fastest eager backend there is: `tensorflow` where @tensorflow/tfjs-node-gpu is installed, else `cpu`. */
export async function eagerBackend(): Promise<string> {
  const optional = '@tensorflow/tfjs-node-gpu' // an optional peer: a name in a variable keeps the compiler from asking for it
  try {
    await import(optional)
    return 'tensorflow'
  } catch {
    return 'cpu'
  }
}

/** The reference engine: runs every op at once on a TensorFlow.js backend (`cpu` is pure JavaScript; `tensorflow` if installed). */
export function eagerEngine(backendName = 'cpu'): Engine {
  return {
    name: `tfjs-${backendName}`,
    async compile(fn, inputs) {
      return {
        run(feeds) {
          return withBackend(backendName, () => {
            const tensors = Object.entries(inputs).map(([name, { shape, dtype }]) => {
              const feed = feeds[name]
              if (!feed) throw new Error(`input "${name}" is missing`)
              return [name, tf.tensor(feed.data, [...shape], dtype)] as const
            })
            const outputs = Object.entries(fn(Object.fromEntries(tensors)))
            const read = outputs.map(
              ([name, t]) => [name, { data: t.dataSync() as HostTensor['data'], shape: t.shape }] as const,
            )
            for (const [, tensor] of outputs) tensor.dispose() // those kept by the function outlive a tidy
            return Object.fromEntries(read)
          })
        },
        async release() {},
      }
    },
  }
}
