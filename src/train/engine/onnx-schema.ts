// The part of the ONNX file format (onnx/onnx.proto, ONNX 1.17) that Spar writes and reads back. Knows nothing of graphs or tensors.
import protobuf from 'protobufjs'

/** ONNX element types (TensorProto.DataType). */
export const ONNX_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const

/** AttributeProto.AttributeType. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const

const SCHEMA = `
syntax = "proto3";
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5;
  repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}
`

export interface AttributeProto {
  name: string
  type: number
  f?: number
  i?: number
  s?: Uint8Array
  t?: TensorProto
  ints?: readonly number[]
}
export interface NodeProto {
  input: string[]
  output: string[]
  name: string
  opType: string
  attribute: AttributeProto[]
  /** Of operators beside ONNX's own. */
  domain?: string
}
export interface TensorProto {
  dims: readonly number[]
  dataType: number
  name: string
  rawData: Uint8Array
}
export interface ValueInfoProto {
  name: string
  type: { tensorType: { elemType: number; shape: { dim: ({ dimValue: number } | { dimParam: string })[] } } }
}
export interface ModelProto {
  irVersion: number
  producerName: string
  opsetImport: { domain: string; version: number }[]
  graph: {
    name: string
    node: NodeProto[]
    initializer: TensorProto[]
    input: ValueInfoProto[]
    output: ValueInfoProto[]
  }
}

const { root } = protobuf.parse(SCHEMA, { keepCase: false })
const Model = root.lookupType('ModelProto')
const encode = (type: string, message: object): Uint8Array => {
  const known = root.lookupType(type)
  return known.encode(known.fromObject(message)).finish()
}

/** A protobuf message, and with it an ONNX file, ends before 2 GiB. */
const MAX_BYTES = 2 ** 31 - 1
/** Numbers of the fields that are written here instead of by protobufjs. */
const FIELD = { modelGraph: 7, graphInitializer: 5, tensorRawData: 9 } as const

/** Tag and length in front of a field that is bytes or a message. */
function lengthDelimited(field: number, length: number): Uint8Array {
  const out = [(field << 3) | 2]
  let rest = length
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  return Uint8Array.from([...out, rest])
}

const byteLengthOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, part) => sum + part.byteLength, 0)

/**
 * Serialises a model. Weights are copied once, into their place: protobufjs grows its buffer by copying, which takes minutes
 * at a gigabyte. @throws Error when the model is larger than an ONNX file can be.
 */
export function encodeModel({ graph, ...model }: ModelProto): Uint8Array {
  const inside = [encode('GraphProto', { ...graph, initializer: [] })]
  for (const { rawData, ...tensor } of graph.initializer) {
    const parts = [
      encode('TensorProto', tensor),
      lengthDelimited(FIELD.tensorRawData, rawData.byteLength),
      rawData,
    ]
    inside.push(lengthDelimited(FIELD.graphInitializer, byteLengthOf(parts)), ...parts)
  }
  const all = [
    encode('ModelProto', model),
    lengthDelimited(FIELD.modelGraph, byteLengthOf(inside)),
    ...inside,
  ]
  const size = byteLengthOf(all)
  if (size > MAX_BYTES)
    throw new Error(`the model takes ${(size / 2 ** 30).toFixed(1)} GiB; an ONNX file holds less than 2 GiB`)
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

/** Reads a model's graph back; int64 fields come as numbers. @throws when the bytes are not a protobuf of this shape. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return Model.toObject(Model.decode(bytes), {
    longs: Number,
    defaults: true,
    arrays: true,
  }) as unknown as ModelProto
}
