// Kernels that the wasm backend of TensorFlow.js lacks and training needs, as plain loops over typed arrays. Knows no model.
import * as tf from '@tensorflow/tfjs'

const BACKEND = 'wasm'

/** The two calls of a backend that a kernel needs, as the wasm backend names them. */
interface WasmBackend {
  typedArrayFromHeap(tensor: tf.TensorInfo): tf.TypedArray
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo
}

/** Sums rows of `x` [n, …] that share a segment id: the gradient of gather. */
function unsortedSegmentSum(
  backend: WasmBackend,
  x: tf.TensorInfo,
  segmentIds: tf.TensorInfo,
  numSegments: number,
): tf.TensorInfo {
  const out = backend.makeOutput([numSegments, ...x.shape.slice(1)], x.dtype)
  const sums = backend.typedArrayFromHeap(out)
  const values = backend.typedArrayFromHeap(x)
  const ids = backend.typedArrayFromHeap(segmentIds)
  sums.fill(0)
  const width = values.length / Math.max(1, ids.length)
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row]!
    if (segment < 0) continue // as TensorFlow has it: such rows are dropped
    const [to, from] = [segment * width, row * width]
    for (let i = 0; i < width; i++) sums[to + i]! += values[from + i]!
  }
  return out
}

/** Adds the missing kernels, once. The backend's package must have been imported. */
export function addWasmKernels(): void {
  if (tf.getKernel('UnsortedSegmentSum', BACKEND)) return
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: BACKEND,
    kernelFunc: ({ inputs, backend, attrs }) =>
      unsortedSegmentSum(
        backend as WasmBackend,
        inputs['x'] as tf.TensorInfo,
        inputs['segmentIds'] as tf.TensorInfo,
        attrs?.['numSegments'] as number,
      ),
  })
}
