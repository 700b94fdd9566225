// Rewrites a scoring graph so that its large matrices are bytes. Knows no training and no quality.
import {
  ATTRIBUTE_TYPE,
  decodeModel,
  encodeModel,
  type NodeProto,
  ONNX_TYPE,
  type TensorProto,
} from './engine/onnx-schema.ts'

/** ONNX Runtime's own operators; `MatMulIntegerToFloat` multiplies bytes and scales the sums. */
const MICROSOFT = { domain: 'com.microsoft', version: 1 }
/** Narrower products cost less than turning their input into bytes. */
const LEAST_COLUMNS = 16
/** Bytes reach from -127 to 127 around their zero point: weights signed around 0, inputs unsigned around 128, as VNNI takes them. */
const REACH = 127
const ZERO_POINT = 128
/** Keeps a row of zeros from being divided by 0. */
const TINY = 1e-20

const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** A [rows, columns] float matrix as bytes with a scale a column. */
function quantiseColumns(data: Float32Array, rows: number, columns: number) {
  const bytes = new Int8Array(rows * columns)
  const scales = new Float32Array(columns)
  for (let c = 0; c < columns; c++) {
    let largest = 0
    for (let i = c; i < data.length; i += columns) largest = Math.max(largest, Math.abs(data[i]!))
    scales[c] = largest === 0 ? 1 : largest / REACH
    for (let i = c; i < data.length; i += columns) bytes[i] = Math.round(data[i]! / scales[c]!)
  }
  return { bytes, scales }
}

/** A product with a stored matrix, neither transposed nor added to. */
const isProduct = ({ opType, input, attribute }: NodeProto): boolean =>
  opType === 'Gemm' && input.length === 2 && attribute.every(({ i }) => (i ?? 0) === 0)

/**
 * The model with every large stored matrix as bytes, scaled by column. Its input is turned into bytes when it runs, each row by its own
 * largest value: a row's result depends on no other row, so that a score does not depend on what is scored beside it (with one scale for
 * all, as DynamicQuantizeLinear has it, it would).
 */
export function quantiseModel(model: Uint8Array): Uint8Array {
  const { graph, opsetImport, ...rest } = decodeModel(model)
  const stored = new Map(graph.initializer.map(tensor => [tensor.name, tensor]))
  const constant = (name: string, dims: number[], dataType: number, data: ArrayBufferView): TensorProto => ({
    name,
    dims,
    dataType,
    rawData: bytesOf(data),
  })
  const made = new Map<string, TensorProto>(
    [
      constant('int8.scale', [], ONNX_TYPE.float32, Float32Array.of(1 / REACH)),
      constant('int8.zero', [], ONNX_TYPE.uint8, Uint8Array.of(ZERO_POINT)),
      constant('int8.axis', [1], ONNX_TYPE.int64, BigInt64Array.of(-1n)),
      constant('int8.tiny', [], ONNX_TYPE.float32, Float32Array.of(TINY)),
    ].map(tensor => [tensor.name, tensor]),
  )
  const nodes: NodeProto[] = []
  const add = (opType: string, input: string[], output: string, more: Partial<NodeProto> = {}): string => {
    nodes.push({ input, output: [output], name: output, opType, attribute: [], ...more })
    return output
  }
  const inputs = new Set<string>()
  /** Bytes of a value, made once for all products that take it. */
  const bytesFor = (x: string): { bytes: string; largest: string } => {
    const names = { bytes: `${x}.bytes`, largest: `${x}.largest` }
    if (inputs.has(x)) return names
    inputs.add(x)
    const keepdims = { name: 'keepdims', type: ATTRIBUTE_TYPE.int, i: 1 }
    const most = add('ReduceMax', [add('Abs', [x], `${x}.abs`), 'int8.axis'], `${x}.most`, {
      attribute: [keepdims],
    })
    add('Add', [most, 'int8.tiny'], names.largest)
    const share = add('Div', [x, names.largest], `${x}.share`)
    add('QuantizeLinear', [share, 'int8.scale', 'int8.zero'], names.bytes)
    return names
  }

  for (const node of graph.node) {
    const matrix = stored.get(node.input[1]!)
    const [rows, columns] = matrix?.dims ?? []
    if (!isProduct(node) || matrix === undefined || columns! < LEAST_COLUMNS) {
      nodes.push(node)
      continue
    }
    const { name } = matrix
    if (!made.has(name)) {
      const { bytes, scales } = quantiseColumns(
        new Float32Array(Uint8Array.from(matrix.rawData).buffer), // a copy, aligned to 4 bytes
        rows!,
        columns!,
      )
      made.set(name, constant(`${name}.bytes`, [rows!, columns!], ONNX_TYPE.int8, bytes))
      made.set(`${name}.scales`, constant(`${name}.scales`, [columns!], ONNX_TYPE.float32, scales))
    }
    const { bytes, largest } = bytesFor(node.input[0]!)
    const output = node.output[0]!
    const product = add(
      'MatMulIntegerToFloat',
      [bytes, `${name}.bytes`, 'int8.scale', `${name}.scales`, 'int8.zero'],
      `${output}.share`,
      { domain: MICROSOFT.domain },
    )
    add('Mul', [product, largest], output)
  }
  const used = new Set(nodes.flatMap(node => node.input))
  const kept = [...stored.values()].filter(tensor => used.has(tensor.name))
  return encodeModel({
    ...rest,
    opsetImport: [...opsetImport, MICROSOFT],
    graph: { ...graph, node: nodes, initializer: [...kept, ...made.values()] },
  })
}
