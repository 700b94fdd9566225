// An ONNX graph under construction: values, nodes, constants, symbolic dimensions. Knows no TensorFlow.js and runs nothing.
import type { TypedArray } from '@tensorflow/tfjs'
import { estimateMemory, type MemoryEstimate, sizeOf } from './memory.ts'
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  encodeModel,
  type NodeProto,
  ONNX_TYPE,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-schema.ts'

export type DType = 'float32' | 'int32' | 'bool'

/** ONNX opset of every graph: 18 is the first where the Reduce ops take their axes alike. */
export const OPSET = 18
const IR_VERSION = 9

/** A tensor in the graph. `shape` holds concrete numbers; a symbolic dimension is a large prime, see `Symbols`. */
export interface Value {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** Set when the value is a constant whose elements are all this number; kept as a scalar, never materialised. */
  readonly uniform?: number
}

/**
 * Symbolic dimensions: name -> a large prime standing for it while tracing. Nothing is computed in a trace, so a size
 * may be any number; a dimension divisible by a symbol's prime is a multiple of that symbol.
 */
export type Symbols = Readonly<Record<string, number>>

type AttributeValue = number | string | readonly number[]

const toAttribute = (name: string, value: AttributeValue): AttributeProto => {
  if (typeof value === 'string')
    return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) }
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value }
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value }
}

const bytesOf = (data: TypedArray | BigInt64Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** A growing graph. Built by one trace, serialised once. */
export class Graph {
  readonly #symbols: Symbols
  readonly #nodes: NodeProto[] = []
  readonly #initializers: TensorProto[] = []
  readonly #inputs: Value[] = []
  readonly #outputs: Value[] = []
  readonly #dimSources = new Map<string, string>()
  /** Names of constants that are stored once, by what they hold. */
  readonly #shared = new Map<string, string>()
  readonly #bytes = new Map<string, number>()
  #count = 0

  constructor(symbols: Symbols = {}) {
    this.#symbols = symbols
  }

  #fresh(hint: string): string {
    return `${hint}_${this.#count++}`
  }

  /** Declares a graph input. The first input with a symbolic dimension becomes the source of that symbol's size. */
  input(name: string, shape: readonly number[], dtype: DType): Value {
    const value = { name, shape, dtype }
    this.#inputs.push(value)
    return value
  }

  /** Adds a named constant (a weight): kept as it is, so that it can be read back by name. */
  weight(name: string, shape: readonly number[], data: Float32Array): Value {
    this.#initializers.push({ name, dims: shape, dataType: ONNX_TYPE.float32, rawData: bytesOf(data) })
    return { name, shape, dtype: 'float32' }
  }

  /** Adds a constant; one whose elements are all equal is kept as a single number. */
  constant(data: TypedArray, shape: readonly number[], dtype: DType): Value {
    const first = data[0]
    if (data.length > 0 && first !== undefined && data.every(x => x === first))
      return this.uniform(first, shape, dtype)
    const name = this.#fresh('const')
    this.#initializers.push({ name, dims: shape, dataType: ONNX_TYPE[dtype], rawData: bytesOf(data) })
    return { name, shape, dtype }
  }

  /** A constant of any shape whose elements all equal `value`, stored as one number. */
  uniform(value: number, shape: readonly number[], dtype: DType): Value {
    const key = `${dtype} ${Object.is(value, -0) ? '-0' : value}`
    let name = this.#shared.get(key)
    if (name === undefined) {
      name = this.#fresh('scalar')
      const data =
        dtype === 'float32'
          ? Float32Array.of(value)
          : dtype === 'int32'
            ? Int32Array.of(value)
            : Uint8Array.of(value)
      this.#initializers.push({ name, dims: [], dataType: ONNX_TYPE[dtype], rawData: bytesOf(data) })
      this.#shared.set(key, name)
    }
    return { name, shape, dtype, uniform: value }
  }

  /** A 1-D int64 constant (axes, pads, static shapes). @returns its name. */
  int64s(values: readonly number[]): string {
    const key = `int64 ${values.join(',')}`
    let name = this.#shared.get(key)
    if (name === undefined) {
      name = this.#fresh('i64')
      this.#initializers.push({
        name,
        dims: [values.length],
        dataType: ONNX_TYPE.int64,
        rawData: bytesOf(BigInt64Array.from(values, BigInt)),
      })
      this.#shared.set(key, name)
    }
    return name
  }

  /** Adds a node with one output of the given shape. Inputs are values (uniform constants are expanded) or raw names. */
  node(
    opType: string,
    inputs: readonly (Value | string)[],
    shape: readonly number[],
    dtype: DType,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    const input = inputs.map(x => (typeof x === 'string' ? x : this.materialise(x).name))
    return this.#sized({ name: this.#emit(opType, input, attributes), shape, dtype })
  }

  #sized(value: Value): Value {
    const width = value.dtype === 'bool' ? 1 : 4
    this.#bytes.set(value.name, sizeOf(value.shape) * width)
    return value
  }

  /** Memory that the values between inputs and outputs need; meaningless where dimensions are symbolic. */
  memory(): MemoryEstimate {
    return estimateMemory(this.#nodes, this.#bytes)
  }

  #emit(opType: string, input: string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.#fresh(opType)
    const attribute = Object.entries(attributes).map(([name, value]) => toAttribute(name, value))
    this.#nodes.push({ input, output: [output], name: output, opType, attribute })
    return output
  }

  /** The value as a tensor of its full shape: a uniform constant is expanded, anything else is returned as it is. */
  materialise(value: Value): Value {
    if (value.uniform === undefined || value.shape.length === 0) return value
    const expanded = this.#emit('Expand', [value.name, this.shapeOf(value.shape)])
    return this.#sized({ name: expanded, shape: value.shape, dtype: value.dtype })
  }

  /** Name of a 1-D int64 tensor holding `shape`; computed at run time where it has symbolic dimensions. */
  shapeOf(shape: readonly number[]): string {
    if (!shape.some(size => this.#factors(size).length > 0)) return this.int64s(shape)
    return this.#emit(
      'Concat',
      shape.map(size => this.#dimension(size)),
      { axis: 0 },
    )
  }

  /** Like `shapeOf` for Reshape, where one symbolic dimension may be inferred (-1). */
  reshapeTarget(shape: readonly number[]): string {
    const symbolic = shape.filter(size => this.#factors(size).length > 0)
    if (symbolic.length !== 1) return this.shapeOf(shape)
    return this.int64s(shape.map(size => (size === symbolic[0] ? -1 : size)))
  }

  /** Symbols a dimension is made of, e.g. `batch * length * 4` -> ['batch', 'length']. */
  #factors(size: number): string[] {
    const found: string[] = []
    let rest = size
    for (const [name, prime] of Object.entries(this.#symbols)) {
      while (rest >= prime && rest % prime === 0) {
        found.push(name)
        rest /= prime
      }
    }
    return found
  }

  #dimension(size: number): string {
    const symbols = this.#factors(size)
    const constant = symbols.reduce((rest, name) => rest / this.#symbols[name]!, size)
    return symbols.reduce(
      (name, symbol) => {
        const source = this.#sourceOf(symbol)
        return name === '' ? source : this.#emit('Mul', [name, source])
      },
      constant === 1 && symbols.length > 0 ? '' : this.int64s([constant]),
    )
  }

  /** Name of the 1-element int64 tensor that holds a symbol's size, read off an input that has that dimension. */
  #sourceOf(symbol: string): string {
    const known = this.#dimSources.get(symbol)
    if (known !== undefined) return known
    for (const input of this.#inputs) {
      const axis = input.shape.indexOf(this.#symbols[symbol]!)
      if (axis < 0) continue
      const shape = this.#emit('Shape', [input.name])
      const size = this.#emit('Slice', [shape, this.int64s([axis]), this.int64s([axis + 1])])
      this.#dimSources.set(symbol, size)
      return size
    }
    return this.#sumSource(symbol)
  }

  /** A symbol that no input carries is the sum of two others (keys = past + length). */
  #sumSource(symbol: string): string {
    const target = this.#symbols[symbol]!
    const names = Object.keys(this.#symbols)
    for (const a of names) {
      for (const b of names) {
        if (a === symbol || b === symbol || this.#symbols[a]! + this.#symbols[b]! !== target) continue
        const size = this.#emit('Add', [this.#sourceOf(a), this.#sourceOf(b)])
        this.#dimSources.set(symbol, size)
        return size
      }
    }
    throw new Error(`symbolic dimension "${symbol}" occurs in no graph input`)
  }

  /** Names of the outputs declared so far. */
  get outputNames(): string[] {
    return this.#outputs.map(({ name }) => name)
  }

  /** Declares a graph output under a name of its own. */
  output(name: string, value: Value): void {
    const full = this.materialise(value)
    this.#nodes.push({ input: [full.name], output: [name], name, opType: 'Identity', attribute: [] })
    this.#outputs.push({ ...full, name })
  }

  /** Serialises the graph as an ONNX model file. */
  toModel(): Uint8Array {
    const info = ({ name, shape, dtype }: Value): ValueInfoProto => ({
      name,
      type: {
        tensorType: {
          elemType: ONNX_TYPE[dtype],
          shape: { dim: shape.map((size, axis) => this.#dimInfo(size, axis)) },
        },
      },
    })
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'spar',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'spar',
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs.map(info),
        output: this.#outputs.map(info),
      },
    })
  }

  #dimInfo(size: number, axis: number): { dimValue: number } | { dimParam: string } {
    const symbols = this.#factors(size)
    if (symbols.length === 0) return { dimValue: size }
    const exact = symbols.length === 1 && this.#symbols[symbols[0]!] === size
    return { dimParam: exact ? symbols[0]! : `${symbols.join('_')}_${axis}` }
  }
}
