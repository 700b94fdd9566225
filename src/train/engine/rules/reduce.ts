// Tracing rules of reductions, matrix products and indexed reads and writes.
import type { Graph, Value } from '../graph.ts'
import { broadcastShape, type Rule } from './rule.ts'

function axesOf(x: Value, axis: unknown): number[] {
  const all = x.shape.map((_, i) => i)
  if (axis === undefined || axis === null) return all
  return [axis as number | number[]].flat().map(a => (a < 0 ? a + x.shape.length : a))
}

const reduce =
  (opType: string): Rule =>
  (graph, { x }, { axis, reductionIndices, keepDims }) => {
    const axes = axesOf(x!, axis ?? reductionIndices)
    const keep = keepDims === true
    const shape = keep
      ? x!.shape.map((size, i) => (axes.includes(i) ? 1 : size))
      : x!.shape.filter((_, i) => !axes.includes(i))
    if (axes.length === 0) return x!
    return graph.node(opType, [x!, graph.int64s(axes)], shape, x!.dtype, { keepdims: keep ? 1 : 0 })
  }

const softmax =
  (opType: string): Rule =>
  (graph, { logits }, { dim, axis }) => {
    const at = (dim ?? axis ?? -1) as number
    return graph.node(opType, [logits!], logits!.shape, 'float32', {
      axis: at < 0 ? at + logits!.shape.length : at,
    })
  }

/** Matrices go through Gemm, which takes its transposes for free; batches through MatMul, where ORT fuses a Transpose. */
const matMul: Rule = (graph, inputs, { transposeA, transposeB }) => {
  const { a, b } = inputs as { a: Value; b: Value }
  const rows = a.shape.at(transposeA ? -1 : -2)!
  const columns = b.shape.at(transposeB ? -2 : -1)!
  if (a.shape.length === 2 && b.shape.length === 2) {
    return graph.node('Gemm', [a, b], [rows, columns], 'float32', {
      transA: transposeA ? 1 : 0,
      transB: transposeB ? 1 : 0,
    })
  }
  const left = transposeA ? swapLast(graph, a) : a
  const right = transposeB ? swapLast(graph, b) : b
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return graph.node('MatMul', [left, right], [...batch, rows, columns], 'float32')
}

function swapLast(graph: Graph, x: Value): Value {
  const rank = x.shape.length
  const perm = x.shape.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis))
  return graph.node(
    'Transpose',
    [x],
    perm.map(axis => x.shape[axis]!),
    x.dtype,
    { perm },
  )
}

const gather: Rule = (graph, inputs, { axis, batchDims }) => {
  const { x, indices } = inputs as { x: Value; indices: Value }
  if (batchDims) throw new Error('no tracing rule for GatherV2 with batchDims')
  const at =
    ((axis as number | undefined) ?? 0) < 0
      ? (axis as number) + x.shape.length
      : ((axis as number | undefined) ?? 0)
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]
  return graph.node('Gather', [x, indices], shape, x.dtype, { axis: at })
}

/** Sums rows of `x` that share a segment id: the gradient of Gather. Zeros, then ScatterND that adds. */
const unsortedSegmentSum: Rule = (graph, inputs, { numSegments }) => {
  const { x, segmentIds } = inputs as { x: Value; segmentIds: Value }
  const shape = [numSegments as number, ...x.shape.slice(1)]
  const ids = graph.node('Cast', [segmentIds], segmentIds.shape, 'int32', { to: 7 })
  const column = [...segmentIds.shape, 1]
  const indices = graph.node('Reshape', [ids, graph.reshapeTarget(column)], column, 'int32')
  return graph.node('ScatterND', [graph.uniform(0, shape, x.dtype), indices, x], shape, x.dtype, {
    reduction: 'add',
  })
}

const oneHot: Rule = (graph, { indices }, { depth, onValue, offValue, dtype }) => {
  const values = graph.constant(Float32Array.of(offValue as number, onValue as number), [2], 'float32')
  const count = graph.constant(Int32Array.of(depth as number), [1], 'int32')
  const shape = [...indices!.shape, depth as number]
  const hot = graph.node('OneHot', [indices!, count, values], shape, 'float32', { axis: shape.length - 1 })
  return dtype === 'int32' ? graph.node('Cast', [hot], shape, 'int32', { to: 6 }) : hot
}

export const reductions: Readonly<Record<string, Rule>> = {
  Sum: reduce('ReduceSum'),
  Mean: reduce('ReduceMean'),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  BatchMatMul: matMul,
  GatherV2: gather,
  UnsortedSegmentSum: unsortedSegmentSum,
  OneHot: oneHot,
}
