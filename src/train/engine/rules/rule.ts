// What a tracing rule is: how one TensorFlow.js kernel becomes ONNX nodes. Knows no particular kernel.
import type { Graph, Value } from '../graph.ts'

/** Records one kernel into the graph. `inputs` and `attrs` are named as TensorFlow.js names them for that kernel. */
export type Rule = (
  graph: Graph,
  inputs: Readonly<Record<string, Value>>,
  attrs: Readonly<Record<string, unknown>>,
) => Value | Value[]

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis])

/** Shape of `a` and `b` broadcast together (NumPy rule). @throws when they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[a.length - rank + axis] ?? 1
    const y = b[b.length - rank + axis] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new Error(`cannot broadcast [${a}] with [${b}]`)
    return x === 1 ? y : x
  })
}
