// Compiles TensorFlow.js code to ONNX by tracing: a backend whose kernels record nodes instead of computing.
// Knows no model; a kernel without a rule fails by name, at trace time.
import * as tf from '@tensorflow/tfjs'
import { type DType, Graph, type Symbols, type Value } from './graph.ts'
import { elementwise } from './rules/elementwise.ts'
import { reductions } from './rules/reduce.ts'
import type { Rule } from './rules/rule.ts'
import { shapes } from './rules/shape.ts'

/** Every kernel that can be traced. */
export const RULES: Readonly<Record<string, Rule>> = { ...elementwise, ...shapes, ...reductions }

const BACKEND = 'spar-trace'

export interface TensorSpec {
  readonly shape: readonly number[]
  readonly dtype: DType
}

/** A function from named tensors to named tensors, written in TensorFlow.js ops; the unit that is compiled. */
export type TensorFunction = (inputs: Readonly<Record<string, tf.Tensor>>) => Record<string, tf.Tensor>

export interface TraceOptions {
  readonly inputs: Readonly<Record<string, TensorSpec>>
  /** Inputs of this name become weights inside the file (initializers) instead of inputs. */
  readonly weights?: Readonly<Record<string, Float32Array>>
  /** Symbolic dimensions, see `Symbols`; none = all shapes static. */
  readonly symbols?: Symbols
}

/** Tensors of a trace hold graph values, or data not yet put into the graph. */
type Held = { value: Value } | { data: tf.TypedArray; shape: readonly number[]; dtype: DType }

class TraceBackend extends tf.KernelBackend {
  graph: Graph | null = null
  readonly #held = new WeakMap<object, Held>()

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const id = {}
    this.#held.set(id, { data: values as tf.TypedArray, shape, dtype: dtype as DType })
    return id
  }

  /** The graph value of a tensor; data enters the graph when it is first used. */
  valueFor(tensor: tf.TensorInfo): Value {
    const held = this.#held.get(tensor.dataId)
    if (held === undefined)
      throw new Error('a tensor from outside the trace was used in it; pass it as an input')
    if ('value' in held) return held.value
    const value = this.graph!.constant(held.data, held.shape, held.dtype)
    this.#held.set(tensor.dataId, { value })
    return value
  }

  infoOf(value: Value): tf.TensorInfo {
    const dataId = {}
    this.#held.set(dataId, { value })
    return { dataId, shape: [...value.shape], dtype: value.dtype }
  }

  override refCount(): number {
    return 1
  }
  override incRef(): void {}
  decRef(): boolean {
    return true
  }
  override disposeData(): boolean {
    return true
  }
  override numDataIds(): number {
    return 0
  }
  override floatPrecision(): 16 | 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
  override readSync(): never {
    throw new Error('a value was read during tracing; traced code must not depend on values')
  }
}

function register(): TraceBackend {
  tf.env().set('PROD', true) // no banner on standard output, no data checks that read values
  const backend = new TraceBackend()
  tf.registerBackend(BACKEND, () => backend, 0)
  for (const [kernelName, rule] of Object.entries(RULES)) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) => {
        const values = Object.entries(inputs as Record<string, tf.TensorInfo | undefined>).flatMap(
          ([name, tensor]) => (tensor ? [[name, backend.valueFor(tensor)] as const] : []),
        )
        const result = rule(backend.graph!, Object.fromEntries(values), attrs ?? {})
        return Array.isArray(result) ? result.map(v => backend.infoOf(v)) : backend.infoOf(result)
      },
    })
  }
  return backend
}

const backend = register()

/** Runs `body`, in one go, with a TensorFlow.js backend chosen and puts the former one back. Tensors it made and did not keep are gone. */
export async function withBackend<T>(name: string, body: () => T): Promise<T> {
  const before = tf.engine().backendName
  await tf.setBackend(name)
  try {
    // Another task may have chosen its backend during the wait; an initialised backend is chosen at once.
    void tf.setBackend(name)
    let result: { value: T } | undefined
    tf.tidy(() => {
      result = { value: body() } // not returned: a tidy looks for tensors in its result, byte by byte in an array
    })
    return result!.value
  } finally {
    if (before) await tf.setBackend(before)
  }
}

/** Traces `fn` and returns the ONNX model file. @throws when a kernel has no rule (the message names it). */
export const trace = async (fn: TensorFunction, options: TraceOptions): Promise<Uint8Array> =>
  (await traceGraph(fn, options)).toModel()

/** Traces `fn` and returns the graph. @throws when a kernel has no rule (the message names it). */
export function traceGraph(fn: TensorFunction, options: TraceOptions): Promise<Graph> {
  return withBackend(BACKEND, () => {
    const graph = new Graph(options.symbols)
    backend.graph = graph
    try {
      const inputs = Object.entries(options.inputs).map(([name, { shape, dtype }]) => {
        const data = options.weights?.[name]
        const value = data ? graph.weight(name, shape, data) : graph.input(name, shape, dtype)
        return [name, tf.engine().makeTensorFromTensorInfo(backend.infoOf(value))] as const
      })
      for (const [name, tensor] of Object.entries(fn(Object.fromEntries(inputs))))
        graph.output(name, backend.valueFor(tensor))
      return graph
    } catch (error) {
      const kernel = /kernel '?(\w+)'?/i.exec(String((error as Error).message))?.[1]
      if (kernel && !(kernel in RULES))
        throw new Error(`no tracing rule for TensorFlow.js kernel ${kernel}`, { cause: error })
      throw error
    } finally {
      backend.graph = null
    }
  })
}
