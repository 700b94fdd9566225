// What the readers of checkpoint files have in common: named tensors of float32 numbers. Knows no format.

/** Named tensors, read when asked for. */
export interface TensorFile {
  /** For messages. */
  readonly name: string
  /** Name -> shape, row-major. */
  readonly shapes: ReadonlyMap<string, readonly number[]>
  /** The numbers of a tensor, row-major. @throws Error naming file and tensor when it is missing, truncated or of an unknown format. */
  read(name: string): Float32Array
  close(): void
}

/** Moves rows to columns: [rows, columns] -> [columns, rows], in tiles that stay in the cache. */
export function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  const TILE = 32
  const out = new Float32Array(x.length)
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      for (let r = r0; r < Math.min(r0 + TILE, rows); r++) {
        for (let c = c0; c < Math.min(c0 + TILE, columns); c++) out[c * rows + r] = x[r * columns + c]!
      }
    }
  }
  return out
}
