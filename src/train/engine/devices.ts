// Where training runs, by name. Knows no model and no command line.
import { whyNot } from '../../critic/device.ts'
import { eagerBackend, eagerEngine } from './eager.ts'
import { tracedEngine } from './engine.ts'
import type { Engine } from './port.ts'

/** `tfjs` is the eager engine; the others are the traced one on a provider of ONNX Runtime. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'tfjs'] as const
export type Device = (typeof DEVICES)[number]

export const isGpu = (device: Device): boolean => device === 'webgpu' || device === 'cuda'

/** Opens the engine of a device and runs one product on it. @throws saying what the device lacks. */
export async function openEngine(device: Device, threads: number): Promise<Engine> {
  const engine = device === 'tfjs' ? eagerEngine(await eagerBackend()) : tracedEngine({ threads, device })
  try {
    const spec = { shape: [1], dtype: 'float32' as const }
    const program = await engine.compile(({ x }) => ({ y: x!.square() }), { x: spec })
    await program.run({ x: { data: Float32Array.of(2), shape: [1] } })
    await program.release()
  } catch (error) {
    throw new Error(`the device ${device} cannot be used here: ${whyNot(device, error)}`, { cause: error })
  }
  return engine
}
