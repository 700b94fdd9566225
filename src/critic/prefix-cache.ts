// What was found out about the beginnings of sequences: a tree of parts under a cap of bytes. Knows no model and no text.

/** `Kept` is what is kept of one part, which follows one certain beginning. */
export interface PrefixCache<Kept> {
  /** Of everything kept now; at most the cap. */
  readonly bytes: number
  /** What is kept of the longest known beginning, part by part; it counts as used. */
  find(keys: readonly string[]): Kept[]
  /**
   * Keeps a beginning: its parts' keys, and what belongs to the i-th, which is asked only for parts that are not known yet. Then
   * forgets what was used least recently until all is within the cap, which may be the end of this very beginning.
   */
  keep(keys: readonly string[], partAt: (i: number) => Kept): void
}

interface TreeNode<Kept> {
  readonly key: string
  readonly parent: TreeNode<Kept> | null
  readonly children: Map<string, TreeNode<Kept>>
  readonly part: Kept
  readonly bytes: number
}

/** About what a node costs besides its numbers and its key. */
const NODE_BYTES = 400

/**
 * A cache of at most `maxBytes`. A key says everything that tells a part from others after the same beginning.
 *
 * @param bytesOf what a part takes, without its key; asked once a part
 */
export function createPrefixCache<Kept>(
  maxBytes: number,
  bytesOf: (part: Kept) => number,
): PrefixCache<Kept> {
  type Node = TreeNode<Kept>
  const roots = new Map<string, Node>()
  /** Least recently used first. A node comes before its parent, so that the first one has no children. */
  const byUse = new Set<Node>()
  let bytes = 0

  const childrenOf = (node: Node | null): Map<string, Node> => node?.children ?? roots

  function use(path: readonly Node[]): void {
    for (const node of path.toReversed()) {
      byUse.delete(node)
      byUse.add(node)
    }
  }

  function forget(node: Node): void {
    byUse.delete(node)
    childrenOf(node.parent).delete(node.key)
    bytes -= node.bytes
  }

  function add(parent: Node | null, key: string, part: Kept): Node {
    const size = bytesOf(part) + key.length + NODE_BYTES
    const node: Node = { key, parent, children: new Map(), part, bytes: size }
    childrenOf(parent).set(key, node)
    bytes += size
    return node
  }

  return {
    get bytes() {
      return bytes
    },
    find(keys) {
      const path: Node[] = []
      for (const key of keys) {
        const next = childrenOf(path.at(-1) ?? null).get(key)
        if (next === undefined) break
        path.push(next)
      }
      use(path)
      return path.map(node => node.part)
    },
    keep(keys, partAt) {
      const path: Node[] = []
      for (const [i, key] of keys.entries()) {
        const parent = path.at(-1) ?? null
        path.push(childrenOf(parent).get(key) ?? add(parent, key, partAt(i)))
      }
      use(path)
      for (const oldest of byUse) {
        if (bytes <= maxBytes) break
        forget(oldest)
      }
    },
  }
}
