// Tracing rules of the kernels that work element by element. Knows no shapes but broadcasting.
import type { DType, Graph, Value } from '../graph.ts'
import { broadcastShape, type Rule, sameShape } from './rule.ts'

const unary =
  (opType: string): Rule =>
  (graph, { x, logits }) => {
    const input = (x ?? logits)!
    return graph.node(opType, [input], input.shape, input.dtype)
  }

/** A uniform operand enters as a scalar where the other already has the result's shape, so ones and zeros cost nothing. */
function operands(graph: Graph, a: Value, b: Value): { a: string; b: string; shape: number[] } {
  const shape = broadcastShape(a.shape, b.shape)
  const name = (value: Value, other: Value) =>
    value.uniform !== undefined && sameShape(other.shape, shape) ? value.name : graph.materialise(value).name
  return {
    a: name(a, b),
    b: b.uniform !== undefined && a.uniform !== undefined ? graph.materialise(b).name : name(b, a),
    shape,
  }
}

const binary =
  (opType: string, neutral?: number, result?: DType): Rule =>
  (graph, inputs) => {
    const { a, b } = inputs as { a: Value; b: Value }
    const { a: nameA, b: nameB, shape } = operands(graph, a, b)
    if (neutral !== undefined) {
      if (b.uniform === neutral && sameShape(a.shape, shape)) return a
      if (a.uniform === neutral && sameShape(b.shape, shape) && opType !== 'Sub' && opType !== 'Div') return b
    }
    return graph.node(opType, [nameA, nameB], shape, result ?? a.dtype)
  }

const compare = (opType: string): Rule => binary(opType, undefined, 'bool')

const select: Rule = (graph, inputs) => {
  const { condition, t, e } = inputs as { condition: Value; t: Value; e: Value }
  const shape = broadcastShape(condition.shape, broadcastShape(t.shape, e.shape))
  return graph.node('Where', [condition, t, e], shape, t.dtype)
}

const cast: Rule = (graph, { x }, { dtype }) => {
  const to = dtype as DType
  if (x!.dtype === to) return x!
  const onnxType = { float32: 1, int32: 6, bool: 9 }[to]
  return graph.node('Cast', [x!], x!.shape, to, { to: onnxType })
}

const clip: Rule = (graph, { x }, { clipValueMin, clipValueMax }) => {
  const low = graph.uniform(clipValueMin as number, [], 'float32')
  const high = graph.uniform(clipValueMax as number, [], 'float32')
  return graph.node('Clip', [x!, low, high], x!.shape, x!.dtype)
}

/** Heaviside step with slope `alpha` below zero: the derivative of (leaky) ReLU. */
const step: Rule = (graph, { x }, { alpha }) => {
  const zero = graph.uniform(0, [], x!.dtype)
  const positive = graph.node('Greater', [x!, zero], x!.shape, 'bool')
  const one = graph.uniform(1, [], 'float32')
  return graph.node(
    'Where',
    [positive, one, graph.uniform((alpha as number | undefined) ?? 0, [], 'float32')],
    x!.shape,
    'float32',
  )
}

const addN: Rule = (graph, inputs) => {
  const terms = Object.values(inputs)
  return graph.node('Sum', terms, terms[0]!.shape, terms[0]!.dtype)
}

const square: Rule = (graph, { x }) => graph.node('Mul', [x!, x!], x!.shape, x!.dtype)

const squaredDifference: Rule = (graph, inputs) => {
  const { a, b } = inputs as { a: Value; b: Value }
  const difference = graph.node('Sub', [a, b], broadcastShape(a.shape, b.shape), a.dtype)
  return graph.node('Mul', [difference, difference], difference.shape, a.dtype)
}

const rsqrt: Rule = (graph, { x }) =>
  graph.node('Reciprocal', [graph.node('Sqrt', [x!], x!.shape, x!.dtype)], x!.shape, x!.dtype)

const notEqual: Rule = (graph, inputs) => {
  const { a, b } = inputs as { a: Value; b: Value }
  const shape = broadcastShape(a.shape, b.shape)
  return graph.node('Not', [graph.node('Equal', [a, b], shape, 'bool')], shape, 'bool')
}

export const elementwise: Readonly<Record<string, Rule>> = {
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Floor: unary('Floor'),
  Log: unary('Log'),
  LogicalNot: unary('Not'),
  Neg: unary('Neg'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tanh: unary('Tanh'),
  Add: binary('Add', 0),
  Sub: binary('Sub', 0),
  Multiply: binary('Mul', 1),
  RealDiv: binary('Div', 1),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow'),
  Equal: compare('Equal'),
  Greater: compare('Greater'),
  GreaterEqual: compare('GreaterOrEqual'),
  Less: compare('Less'),
  LessEqual: compare('LessOrEqual'),
  LogicalAnd: compare('And'),
  LogicalOr: compare('Or'),
  NotEqual: notEqual,
  AddN: addN,
  Cast: cast,
  ClipByValue: clip,
  Rsqrt: rsqrt,
  Select: select,
  Square: square,
  SquaredDifference: squaredDifference,
  Step: step,
}
