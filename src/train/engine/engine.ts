// The fast engine: TensorFlow.js functions traced to ONNX, run by ONNX Runtime. Knows no model and no training.
import '../../critic/quiet-runtime.ts'

import * as ort from 'onnxruntime-node'
import type { DType } from './graph.ts'
import type { Engine, Held, HostTensor, Program } from './port.ts'
import { type TensorSpec, trace, traceGraph } from './trace.ts'

export interface TracedOptions {
  /** Threads inside one operator. */
  readonly threads?: number
  readonly device?: 'cpu' | 'webgpu' | 'cuda'
}

type Locations = Readonly<Record<string, 'cpu' | 'gpu-buffer'>>

/** Opens a session on ONNX Runtime for the bytes of a model; `locations` says where outputs stay (WebGPU alone knows another than the CPU). */
export function openSession(
  model: Uint8Array,
  options: TracedOptions = {},
  locations?: Locations,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: [options.device ?? 'cpu'],
    intraOpNumThreads: options.threads ?? 2,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // An arena a session keeps two to three times the largest need of its bucket for good; without one, memory is that of the
    // bucket at work, for 3 to 8 % more time (bench/RESULTS.md).
    enableCpuMemArena: false,
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(locations && { preferredOutputLocation: locations }),
  })
}

/** What the allocator takes beyond the values themselves, as measured. */
const SLACK = 1.5
const OUT = 'out:'
const prefixed = <V>(named: Record<string, V>): Record<string, V> =>
  Object.fromEntries(Object.entries(named).map(([name, value]) => [OUT + name, value]))

const hostOf = (t: ort.Tensor): HostTensor => ({ data: t.data as HostTensor['data'], shape: t.dims })
const tensorOf = ({ data, shape }: HostTensor, dtype: DType): ort.Tensor =>
  new ort.Tensor(dtype, data as Float32Array, shape)

const dtypeOf = ({ data }: HostTensor): DType =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool'

/** Tensors of ONNX Runtime that go from run to run; on WebGPU they stay in its buffers. */
class HeldTensors implements Held {
  readonly tensors: Map<string, ort.Tensor>
  readonly #options: TracedOptions
  readonly #opener: Mover | null

  /** `opener` is the session that made the buffers: they would be gone with the last session of the process. */
  constructor(tensors: Map<string, ort.Tensor>, options: TracedOptions, opener: Mover | null) {
    this.tensors = tensors
    this.#options = options
    this.#opener = opener
  }

  replace(name: string, tensor: ort.Tensor): void {
    const old = this.tensors.get(name)
    if (old?.location === 'gpu-buffer') old.dispose()
    this.tensors.set(name, tensor)
  }

  async read(): Promise<Record<string, HostTensor>> {
    let tensors = this.tensors
    if (this.#opener) {
      const mover = await openMover(tensors, this.#options, 'cpu')
      tensors = await mover.move(tensors)
      await mover.release()
    }
    return Object.fromEntries([...tensors].map(([name, t]) => [name, hostOf(t)] as const))
  }

  async release(): Promise<void> {
    for (const tensor of this.tensors.values()) if (tensor.location === 'gpu-buffer') tensor.dispose()
    this.tensors.clear()
    await this.#opener?.release()
  }
}

interface Mover {
  move(tensors: ReadonlyMap<string, ort.Tensor>): Promise<Map<string, ort.Tensor>>
  release(): Promise<void>
}

/** A graph that only copies tensors to or from the GPU: onnxruntime-node's own `getData` ends the process (1.30). */
async function openMover(
  tensors: ReadonlyMap<string, ort.Tensor>,
  options: TracedOptions,
  to: 'cpu' | 'gpu-buffer',
): Promise<Mover> {
  const inputs = Object.fromEntries(
    [...tensors].map(([name, t]) => [name, { shape: t.dims, dtype: t.type as DType }]),
  )
  const names = Object.keys(inputs)
  const model = await trace(x => prefixed({ ...x }), { inputs })
  const session = await openSession(model, options, Object.fromEntries(names.map(name => [OUT + name, to])))
  return {
    async move(given) {
      const outputs = await session.run(Object.fromEntries(given))
      return new Map(names.map(name => [name, outputs[OUT + name] as ort.Tensor]))
    },
    release: () => session.release(),
  }
}

/**
 * The fast engine. `run` blocks the calling thread while it computes. On the CPU inputs are used where they are, while
 * onnxruntime-node copies every output once, given buffers or not; on WebGPU what is kept never leaves the GPU.
 */
export function tracedEngine(options: TracedOptions = {}): Engine {
  const onGpu = options.device === 'webgpu'
  const engine: Engine = {
    name: `onnxruntime-${options.device ?? 'cpu'}`,
    async prepare(fn, inputs, kept = []) {
      // An output may carry an input's name (new weights); inside the file names must differ.
      const graph = await traceGraph(x => prefixed(fn(x)), { inputs })
      const locations = onGpu
        ? Object.fromEntries(
            graph.outputNames.map(
              name => [name, kept.includes(name.slice(OUT.length)) ? 'gpu-buffer' : 'cpu'] as const,
            ),
          )
        : undefined
      const bytes = graph.memory().peak * SLACK
      return {
        bytes,
        idleBytes: onGpu || options.device === 'cuda' ? bytes : 0,
        open: async () =>
          openProgram(await openSession(graph.toModel(), options, locations), inputs, new Set(kept)),
      }
    },
    compile: async (fn, inputs, kept) => (await engine.prepare(fn, inputs, kept)).open(),
    async hold(tensors) {
      const named = Object.entries(tensors).map(([name, t]) => [name, tensorOf(t, dtypeOf(t))] as const)
      const held = new Map(named)
      if (!onGpu) return new HeldTensors(held, options, null)
      const opener = await openMover(held, options, 'gpu-buffer')
      return new HeldTensors(await opener.move(held), options, opener)
    },
  }
  return engine
}

function openProgram(
  session: ort.InferenceSession,
  inputs: Readonly<Record<string, TensorSpec>>,
  kept: ReadonlySet<string>,
): Program {
  const used = new Set(session.inputNames)
  return {
    async run(feeds, held) {
      const state = held as HeldTensors | undefined
      const tensors: Record<string, ort.Tensor> = {}
      for (const name of Object.keys(inputs)) {
        const tensor = state?.tensors.get(name)
        if (tensor && used.has(name)) tensors[name] = tensor
      }
      for (const [name, feed] of Object.entries(feeds))
        if (used.has(name)) tensors[name] = tensorOf(feed, inputs[name]!.dtype)
      const outputs = Object.entries(await session.run(tensors)).map(
        ([name, t]) => [name.slice(OUT.length), t as ort.Tensor] as const,
      )
      const returned = outputs.filter(([name]) => !state || !kept.has(name))
      for (const [name, tensor] of outputs) if (state && kept.has(name)) state.replace(name, tensor)
      return Object.fromEntries(returned.map(([name, t]) => [name, hostOf(t)]))
    },
    release: () => session.release(),
  }
}
