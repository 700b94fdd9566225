// Which of a critic's two graphs runs: float32, or the one whose matrices are bytes. Knows no session.
import { readFileSync } from 'node:fs'
import type { Manifest } from './manifest.ts'

export type Precision = 'float32' | 'int8'

/** What an operator may ask for; `auto` is int8 where it is faster and exact. */
export const PRECISIONS = ['auto', 'float32', 'int8'] as const
export type PrecisionChoice = (typeof PRECISIONS)[number]

/** The int8 graph inside an artifact; not every one has it. */
export const INT8_MODEL = 'model-int8.onnx'

/** How far, in [0, 1], a score of the int8 graph may be from that of the other; an artifact has none that moves its scores further. */
export const INT8_WIDEST = 0.02

/** File of a graph. */
export const modelFile = (precision: Precision): string => (precision === 'int8' ? INT8_MODEL : 'model.onnx')

/** Whether this CPU adds up products of bytes in 32 bits. Older x64 ones do so in 16, where sums overflow and scores go wrong. */
function multipliesBytes(): boolean {
  if (process.arch === 'arm64') return true
  try {
    return /\bavx(?:512)?_vnni\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))
  } catch {
    return false // a system that does not tell
  }
}

/** What runs when `choice` is asked for: float32 wherever the critic has no int8 graph, and on a GPU. */
export function choosePrecision(
  choice: PrecisionChoice,
  { files }: Pick<Manifest, 'files'>,
  device: string,
  fast: () => boolean = multipliesBytes,
): Precision {
  if (choice === 'float32' || device !== 'cpu' || !(INT8_MODEL in files)) return 'float32'
  return choice === 'int8' || fast() ? 'int8' : 'float32'
}
