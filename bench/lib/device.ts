// The device that a benchmark compares on. Knows no benchmark.
import { DEVICES, type Device } from '../../src/critic/device.ts'

/** What SPAR_DEVICE names, cpu where it is not set; both sides of a comparison run on it. @throws where it names no one device */
export function benchDevice(): Device {
  const name = process.env['SPAR_DEVICE'] || 'cpu'
  const device = DEVICES.find(known => known === name)
  if (device === undefined) throw new Error(`for a benchmark SPAR_DEVICE is one of ${DEVICES.join(', ')}`)
  return device
}
