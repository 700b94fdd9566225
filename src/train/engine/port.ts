// The engine port: prepare a TensorFlow.js function, open it, run it many times on arrays. Knows no engine, no model and no training.
import type { TensorFunction, TensorSpec } from './trace.ts'

/** A tensor outside the engine: row-major data with its shape. bool data are 0 and 1. */
export interface HostTensor {
  readonly data: Float32Array | Int32Array | Uint8Array
  readonly shape: readonly number[]
}

export type HostTensors = Readonly<Record<string, HostTensor>>

/** Tensors that stay where the engine computes (weights, moments, gradients), for the programs of that engine. */
export interface Held {
  /** The tensors as they are now; on the CPU the arrays themselves, valid until the next run. */
  read(): Promise<Record<string, HostTensor>>
  release(): Promise<void>
}

/** An open function. */
export interface Program {
  /**
   * Runs on `inputs` and `held` together. Outputs the program keeps (see `prepare`) replace what `held` has under their name
   * and are not returned; without `held` all outputs are.
   */
  run(inputs: HostTensors, held?: Held): Promise<Record<string, HostTensor>>
  /** Frees what the program holds; it cannot run afterwards. */
  release(): Promise<void>
}

/** A function that is ready to be opened; holds no memory of the engine yet. */
export interface Prepared {
  /** Estimate of the bytes a run takes beside its inputs, from the shapes alone. */
  readonly bytes: number
  /** What of them an open program keeps between runs. */
  readonly idleBytes: number
  open(): Promise<Program>
}

export interface Engine {
  readonly name: string
  /** `kept` names inputs that have an output of the same name: state that goes from one run to the next. */
  prepare(
    fn: TensorFunction,
    inputs: Readonly<Record<string, TensorSpec>>,
    kept?: readonly string[],
  ): Promise<Prepared>
  /** Prepares and opens. */
  compile(
    fn: TensorFunction,
    inputs: Readonly<Record<string, TensorSpec>>,
    kept?: readonly string[],
  ): Promise<Program>
  /** Takes tensors in. Their arrays are read only: what a program keeps goes into arrays of its own. */
  hold(tensors: HostTensors): Promise<Held>
}
