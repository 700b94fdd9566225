// The worker thread of the computer algebra library: one question at a time. Knows no deadline; who asks ends it.
import { parentPort } from 'node:worker_threads'
import { symbolicSame } from './symbolic.ts'

export interface SymbolicAsk {
  readonly id: number
  readonly a: string
  readonly b: string
}
/** `ready` comes once, when the library is loaded and warm: cold, it may take longer than a deadline over anything. */
export type SymbolicAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly same: boolean | null }

const WARM_UP = [
  ['(x+1)^2', 'x^2+2x+1'],
  ['\\frac{1}{\\sqrt{2}}', '\\frac{\\sqrt{2}}{2}'],
  ['(3+2i)(1-i)', '5-i'],
  ['\\frac{x^2-1}{x-1}', 'x+1'],
] as const

const port = parentPort!
const send = (answer: SymbolicAnswer): void => port.postMessage(answer)
port.on('message', ({ id, a, b }: SymbolicAsk) => send({ kind: 'answer', id, same: symbolicSame(a, b) }))
for (const [a, b] of WARM_UP) symbolicSame(a, b)
send({ kind: 'ready' })
