// Tracing rules of the kernels that move, cut or join elements without computing on them.
import type { Value } from '../graph.ts'
import { sizeOf } from '../memory.ts'
import { type Rule, sameShape } from './rule.ts'

const TO_END = Number.MAX_SAFE_INTEGER

/** Replaces a -1 in a target shape by the size it stands for. */
function withoutImplicit(from: readonly number[], to: readonly number[]): number[] {
  const size = sizeOf(from)
  const known = to.reduce((product, n) => (n === -1 ? product : product * n), 1)
  return to.map(n => (n === -1 ? size / known : n))
}

const reshape: Rule = (graph, { x }, { shape }) => {
  const to = withoutImplicit(x!.shape, shape as number[])
  if (sameShape(x!.shape, to)) return x!
  if (x!.uniform !== undefined) return { ...x!, shape: to }
  return graph.node('Reshape', [x!, graph.reshapeTarget(to)], to, x!.dtype)
}

const expandDims: Rule = (graph, inputs, { dim }) => {
  const x = inputs.input!
  const at = (dim as number) < 0 ? x.shape.length + 1 + (dim as number) : (dim as number)
  return reshape(graph, { x }, { shape: x.shape.toSpliced(at, 0, 1) })
}

const transpose: Rule = (graph, { x }, { perm }) => {
  const order = perm as number[]
  if (order.every((axis, i) => axis === i)) return x!
  return graph.node(
    'Transpose',
    [x!],
    order.map(axis => x!.shape[axis]!),
    x!.dtype,
    { perm: order },
  )
}

/** Cuts `size` elements from `begin` along every axis; axes taken whole are left alone, so symbolic ones stay symbolic. */
const slice: Rule = (graph, { x }, { begin, size }) => {
  const starts = x!.shape.map((_, axis) =>
    Array.isArray(begin) ? ((begin as number[])[axis] ?? 0) : axis === 0 ? (begin as number) : 0,
  )
  const sizes = x!.shape.map((full, axis) => {
    const wanted = Array.isArray(size)
      ? ((size as number[])[axis] ?? -1)
      : axis === 0
        ? ((size as number | undefined) ?? -1)
        : -1
    return wanted < 0 ? full - starts[axis]! : wanted
  })
  const cut = x!.shape
    .map((_, axis) => axis)
    .filter(axis => starts[axis] !== 0 || sizes[axis] !== x!.shape[axis])
  if (cut.length === 0) return x!
  const ends = cut.map(axis =>
    starts[axis]! + sizes[axis]! === x!.shape[axis] ? TO_END : starts[axis]! + sizes[axis]!,
  )
  const inputs = [x!, graph.int64s(cut.map(axis => starts[axis]!)), graph.int64s(ends), graph.int64s(cut)]
  return graph.node('Slice', inputs, sizes, x!.dtype)
}

const concat: Rule = (graph, inputs, { axis }) => {
  const parts = Object.values(inputs)
  const at = (axis as number) < 0 ? parts[0]!.shape.length + (axis as number) : (axis as number)
  const joined = parts.reduce((sum, part) => sum + part.shape[at]!, 0)
  return graph.node('Concat', parts, parts[0]!.shape.with(at, joined), parts[0]!.dtype, { axis: at })
}

const pad: Rule = (graph, { x }, { paddings, constantValue }) => {
  const sides = paddings as [number, number][]
  const shape = x!.shape.map((size, axis) => size + sides[axis]![0] + sides[axis]![1])
  const pads = graph.int64s([...sides.map(side => side[0]), ...sides.map(side => side[1])])
  const fill = graph.uniform((constantValue as number | undefined) ?? 0, [], x!.dtype)
  return graph.node('Pad', [x!, pads, fill], shape, x!.dtype)
}

/** Repeats along each axis; repeating axes of size 1 only is an Expand, which copes with symbolic sizes. */
const tile: Rule = (graph, { x }, { reps }) => {
  const times = reps as number[]
  const shape = x!.shape.map((size, axis) => size * times[axis]!)
  if (times.every(n => n === 1)) return x!
  if (x!.uniform !== undefined) return { ...x!, shape }
  if (x!.shape.every((size, axis) => size === 1 || times[axis] === 1)) {
    return graph.node('Expand', [x!, graph.shapeOf(shape)], shape, x!.dtype)
  }
  return graph.node('Tile', [x!, graph.int64s(times)], shape, x!.dtype)
}

const pack: Rule = (graph, inputs, { axis }) => {
  const parts = Object.values(inputs).map(x => expandDims(graph, { input: x }, { dim: axis }) as Value)
  return concat(graph, Object.fromEntries(parts.entries()), { axis })
}

const unpack: Rule = (graph, { value }, { axis }) => {
  const at = (axis as number) < 0 ? value!.shape.length + (axis as number) : (axis as number)
  return Array.from({ length: value!.shape[at]! }, (_, i) => {
    const begin = value!.shape.map((_, k) => (k === at ? i : 0))
    const part = slice(graph, { x: value! }, { begin, size: value!.shape.with(at, 1) }) as Value
    return reshape(graph, { x: part }, { shape: value!.shape.toSpliced(at, 1) }) as Value
  })
}

const split: Rule = (graph, { x }, { numOrSizeSplits, axis }) => {
  const at = (axis as number) < 0 ? x!.shape.length + (axis as number) : (axis as number)
  const full = x!.shape[at]!
  const n = numOrSizeSplits as number | number[]
  const rest = Array.isArray(n) ? n.reduce((left, size) => left - Math.max(size, 0), full) : 0
  const sizes = Array.isArray(n)
    ? n.map(size => (size < 0 ? rest : size))
    : new Array<number>(n).fill(full / n)
  let start = 0
  return sizes.map(size => {
    const begin = x!.shape.map((_, k) => (k === at ? start : 0))
    start += size
    return slice(graph, { x: x! }, { begin, size: x!.shape.with(at, size) }) as Value
  })
}

export const shapes: Readonly<Record<string, Rule>> = {
  Identity: (_, { x }) => x!,
  Reshape: reshape,
  ExpandDims: expandDims,
  Transpose: transpose,
  Slice: slice,
  Concat: concat,
  PadV2: pad,
  Tile: tile,
  Pack: pack,
  Unpack: unpack,
  SplitV: split,
  ZerosLike: (graph, { x }) => graph.uniform(0, x!.shape, x!.dtype),
  OnesLike: (graph, { x }) => graph.uniform(1, x!.shape, x!.dtype),
  Fill: (graph, _, { shape, value, dtype }) =>
    graph.uniform(value as number, shape as number[], (dtype as 'float32') ?? 'float32'),
}
