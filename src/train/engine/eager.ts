// The eager engine: every op runs at once on a TensorFlow.js backend. The reference in tests, and `--device tfjs`.
// Knows no model and no training.
import * as tf from '@tensorflow/tfjs'
import type { Engine, Held, HostTensor, Program } from './port.ts'
import { type TensorFunction, type TensorSpec, traceGraph, withBackend } from './trace.ts'
import { addWasmKernels } from './wasm-kernels.ts'

/** Backends of the eager engine: libtensorflow, WebAssembly, pure JavaScript. */
export type EagerBackend = 'tensorflow' | 'wasm' | 'cpu'

/** The fastest eager backend that is installed: @tensorflow/tfjs-node-gpu (an optional peer), @tensorflow/tfjs-backend-wasm, or pure JavaScript. */
export async function eagerBackend(): Promise<EagerBackend> {
  const optional = '@tensorflow/tfjs-node-gpu' // not installed as a rule: a name in a variable keeps the compiler from asking for it
  try {
    await import(optional)
    return 'tensorflow'
  } catch {}
  try {
    await import('@tensorflow/tfjs-backend-wasm')
    return 'wasm'
  } catch {
    return 'cpu'
  }
}

const readTensor = (t: tf.Tensor): HostTensor => ({
  data: t.dataSync() as HostTensor['data'],
  shape: t.shape,
})

/** Tensors that stay in the backend from run to run. */
class HeldTensors implements Held {
  readonly tensors: Map<string, tf.Tensor>
  readonly #backend: EagerBackend

  constructor(tensors: Map<string, tf.Tensor>, backend: EagerBackend) {
    this.tensors = tensors
    this.#backend = backend
  }

  replace(name: string, tensor: tf.Tensor): void {
    this.tensors.get(name)?.dispose()
    this.tensors.set(name, tensor)
  }

  read(): Promise<Record<string, HostTensor>> {
    return withBackend(this.#backend, () =>
      Object.fromEntries([...this.tensors].map(([name, t]) => [name, readTensor(t)])),
    )
  }

  async release(): Promise<void> {
    for (const tensor of this.tensors.values()) tensor.dispose()
    this.tensors.clear()
  }
}

const toTensor = ({ data, shape }: HostTensor, dtype: tf.DataType): tf.Tensor =>
  tf.tensor(data, [...shape], dtype)

/** The engine on a backend; `cpu` is pure JavaScript. */
export function eagerEngine(backend: EagerBackend = 'cpu'): Engine {
  return {
    name: `tfjs-${backend}`,
    async prepare(fn, inputs, kept = []) {
      const graph = await traceGraph(fn, { inputs }) // for its sizes alone: an eager step frees nothing until its end
      return {
        bytes: graph.memory().total,
        idleBytes: 0,
        open: async () => openProgram(backend, fn, inputs, kept),
      }
    },
    compile: async (fn, inputs, kept = []) => openProgram(backend, fn, inputs, kept),
    hold: tensors =>
      withReadyBackend(backend, () => {
        const named = Object.entries(tensors).map(([name, t]) => {
          const dtype = t.data instanceof Float32Array ? 'float32' : 'int32'
          return [name, tf.keep(toTensor(t, dtype))] as const
        })
        return new HeldTensors(new Map(named), backend)
      }),
  }
}

/** Chooses the backend, with the kernels of our own where it lacks some. */
async function withReadyBackend<T>(backend: EagerBackend, body: () => T): Promise<T> {
  if (backend === 'wasm') {
    await import('@tensorflow/tfjs-backend-wasm')
    addWasmKernels()
  }
  return withBackend(backend, body)
}

function openProgram(
  backend: EagerBackend,
  fn: TensorFunction,
  inputs: Readonly<Record<string, TensorSpec>>,
  kept: readonly string[],
): Program {
  return {
    run(feeds, held) {
      const state = held as HeldTensors | undefined
      return withReadyBackend(backend, () => {
        const tensors = Object.entries(inputs).map(([name, { dtype }]) => {
          const feed = feeds[name]
          const tensor = feed ? toTensor(feed, dtype) : state?.tensors.get(name)
          if (!tensor) throw new Error(`input "${name}" is missing`)
          return [name, tensor] as const
        })
        const outputs = Object.entries(fn(Object.fromEntries(tensors)))
        const returned: Record<string, HostTensor> = {}
        for (const [name, tensor] of outputs) {
          if (state && kept.includes(name)) continue
          returned[name] = readTensor(tensor)
          tensor.dispose() // those kept by the function outlive a tidy
        }
        for (const [name, tensor] of outputs)
          if (state && kept.includes(name)) state.replace(name, tf.keep(tensor))
        return returned
      })
    },
    async release() {},
  }
}
