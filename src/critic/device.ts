// What a critic may run on, by name, and why one of them cannot be had, in plain words. Knows no session.

export const DEVICES = ['cpu', 'webgpu', 'cuda'] as const
export type Device = (typeof DEVICES)[number]

/** Where ONNX Runtime puts the place in its own source before what it has to say. */
const PLACE_IN_SOURCE = /^\/onnxruntime_src\/.* was false\. /

/** One sentence, without a full stop, on why a model could not be opened on a device. */
export function whyNot(device: string, error: unknown): string {
  const said = (error as Error).message.trim().split('\n')[0]!
  if (device === 'webgpu' && said.includes('Failed to get a WebGPU adapter'))
    return 'no driver of a GPU was found; on Linux, WebGPU needs libvulkan1 and the Vulkan driver of the GPU'
  return said.replace(PLACE_IN_SOURCE, '')
}
