// Runs an ONNX model file on host tensors, for tests that look at a serving graph directly. Knows no model.
import * as ort from 'onnxruntime-node'
import { openSession } from '../../../src/train/engine/engine.ts'
import type { HostTensor } from '../../../src/train/engine/port.ts'

export type Feeds = Readonly<Record<string, HostTensor>>

const typeOf = ({ data }: HostTensor): 'float32' | 'int32' | 'bool' =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool'

/** Opens a session on the CPU and returns a function that runs it. */
export async function openRunner(model: Uint8Array): Promise<(feeds: Feeds) => Promise<Feeds>> {
  const session = await openSession(model, { threads: 1 })
  return async feeds => {
    const tensors = Object.entries(feeds).map(
      ([name, host]) => [name, new ort.Tensor(typeOf(host), host.data as Float32Array, host.shape)] as const,
    )
    const outputs = await session.run(Object.fromEntries(tensors))
    return Object.fromEntries(
      Object.entries(outputs).map(([name, t]) => [
        name,
        { data: t.data as Float32Array | Int32Array, shape: t.dims },
      ]),
    )
  }
}
