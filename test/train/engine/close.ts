// Comparing two host tensors within a tolerance relative to the larger of the value and the tensor's scale.
import assert from 'node:assert/strict'
import type { HostTensor } from '../../../src/train/engine/port.ts'

/**
 * Asserts equal shapes and |got - want| <= tolerance * max(|want|, largest |want| * floor, 1e-3), element by element.
 * `floor` is the share of the tensor's scale below which an element is what is left of larger ones that cancelled.
 */
export function assertClose(
  got: HostTensor,
  want: HostTensor,
  label: string,
  tolerance = 1e-4,
  floor = 1e-2,
): void {
  assert.deepEqual([...got.shape], [...want.shape], `${label}: shape`)
  let scale = 0
  for (const x of want.data) scale = Math.max(scale, Math.abs(x))
  want.data.forEach((x, i) => {
    const allowed = tolerance * Math.max(Math.abs(x), scale * floor, 1e-3)
    const off = Math.abs(got.data[i]! - x)
    assert.ok(off <= allowed, `${label}[${i}]: got ${got.data[i]}, want ${x}`)
  })
}
