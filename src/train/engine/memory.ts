// How much memory a graph's values need, from shapes and the order of its nodes. Knows no runtime.

/** Numbers in a tensor of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** A node as this estimate sees it. */
export interface MemoryNode {
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly opType: string
}

/** Ops whose output is their input's memory. */
const ALIAS: ReadonlySet<string> = new Set(['Reshape', 'Identity'])

export interface MemoryEstimate {
  /** Most bytes alive at once when nodes run in order and a value is freed after its last use. */
  readonly peak: number
  /** Bytes of all values together: what an engine needs that frees nothing until the end. */
  readonly total: number
}

/** Memory of the values that nodes make. `bytesOf`: value name -> bytes; inputs and constants of the graph count nothing. */
export function estimateMemory(
  nodes: readonly MemoryNode[],
  bytesOf: ReadonlyMap<string, number>,
): MemoryEstimate {
  const rootOf = new Map<string, string>()
  const root = (name: string): string => rootOf.get(name) ?? name
  for (const { opType, input, output } of nodes)
    if (ALIAS.has(opType)) rootOf.set(output[0]!, root(input[0]!))

  const lastUse = new Map<string, number>()
  nodes.forEach(({ input, output }, at) => {
    for (const name of [...input, ...output]) lastUse.set(root(name), at)
  })
  const [made, freedAt] = [new Set<string>(), new Map<number, number>()]
  let [alive, peak, total] = [0, 0, 0]
  nodes.forEach(({ opType, output }, at) => {
    const name = output[0]!
    const bytes = bytesOf.get(name) ?? 0
    if (!ALIAS.has(opType) && !made.has(name)) {
      made.add(name)
      total += bytes
      alive += bytes
      const end = lastUse.get(name)!
      freedAt.set(end, (freedAt.get(end) ?? 0) + bytes)
    }
    peak = Math.max(peak, alive)
    alive -= freedAt.get(at) ?? 0
  })
  return { peak, total }
}
