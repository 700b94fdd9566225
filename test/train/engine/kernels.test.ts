// Every traced kernel agrees with the eager pure-JS backend, in values and in gradients; a kernel without a rule fails by name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as tf from '@tensorflow/tfjs'
import { eagerEngine } from '../../../src/train/engine/eager.ts'
import { tracedEngine } from '../../../src/train/engine/engine.ts'
import type { DType } from '../../../src/train/engine/graph.ts'
import type { HostTensor } from '../../../src/train/engine/port.ts'
import { RULES, type TensorFunction, trace } from '../../../src/train/engine/trace.ts'
import { assertClose } from './close.ts'

const traced = tracedEngine({ threads: 1 })
const eager = eagerEngine('cpu')

/** A tensor filled with distinct, unordered numbers in (low, high). */
function filled(shape: number[], low = -2, high = 2): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1)
  const data = Float32Array.from(
    { length: size },
    (_, i) => low + (high - low) * (((i * 0.618034 + 0.13) % 1) * 0.98 + 0.01),
  )
  return { data, shape }
}
const ints = (shape: number[], values: number[]): HostTensor => ({ data: Int32Array.from(values), shape })
const bools = (shape: number[], values: number[]): HostTensor => ({ data: Uint8Array.from(values), shape })

type Fn = (...x: tf.Tensor[]) => tf.Tensor
interface Case {
  readonly fn: Fn
  readonly inputs: readonly HostTensor[]
  /** False for kernels whose result does not change smoothly with their inputs. */
  readonly grad?: boolean
}

const m = filled([3, 4])
const m2 = filled([3, 4], 0.3, 3)
const row = filled([4], 0.5, 2)
const t3 = filled([2, 3, 4])
const unary = (fn: Fn, input = m, grad = true): Case => ({ fn, inputs: [input], grad })
const binary = (fn: Fn, grad = true): Case => ({ fn, inputs: [m, row], grad })

const CASES: Readonly<Record<string, Case>> = {
  Abs: unary(x => tf.abs(x!)),
  Ceil: unary(x => tf.ceil(x!), m, false),
  Cos: unary(x => tf.cos(x!)),
  Erf: unary(x => tf.erf(x!)),
  Exp: unary(x => tf.exp(x!)),
  Floor: unary(x => tf.floor(x!), m, false),
  Log: unary(x => tf.log(x!), m2),
  Neg: unary(x => tf.neg(x!)),
  Reciprocal: unary(x => tf.reciprocal(x!), m2),
  Relu: unary(x => tf.relu(x!)),
  Rsqrt: unary(x => tf.rsqrt(x!), m2),
  Sigmoid: unary(x => tf.sigmoid(x!)),
  Sign: unary(x => tf.sign(x!), m, false),
  Sin: unary(x => tf.sin(x!)),
  Softplus: unary(x => tf.softplus(x!)),
  Sqrt: unary(x => tf.sqrt(x!), m2),
  Square: unary(x => tf.square(x!)),
  Step: unary(x => tf.step(x!, 0.25), m, false),
  Tanh: unary(x => tf.tanh(x!)),
  ClipByValue: unary(x => tf.clipByValue(x!, -1, 1)),
  Add: binary((a, b) => tf.add(a!, b!)),
  Sub: binary((a, b) => tf.sub(a!, b!)),
  Multiply: binary((a, b) => tf.mul(a!, b!)),
  RealDiv: binary((a, b) => tf.div(a!, b!)),
  Maximum: { fn: (a, b) => tf.maximum(a!, b!), inputs: [m, m2] },
  Minimum: { fn: (a, b) => tf.minimum(a!, b!), inputs: [m, m2] },
  SquaredDifference: { fn: (a, b) => tf.squaredDifference(a!, b!), inputs: [m, m2] },
  Pow: { fn: (a, b) => tf.pow(a!, b!), inputs: [m2, row] },
  AddN: { fn: (a, b) => tf.addN([a!, b!, a!]), inputs: [m, m2] },
  Equal: binary((a, b) => tf.cast(tf.equal(a!, b!), 'float32'), false),
  NotEqual: binary((a, b) => tf.cast(tf.notEqual(a!, b!), 'float32'), false),
  Greater: binary((a, b) => tf.cast(tf.greater(a!, b!), 'float32'), false),
  GreaterEqual: binary((a, b) => tf.cast(tf.greaterEqual(a!, b!), 'float32'), false),
  Less: binary((a, b) => tf.cast(tf.less(a!, b!), 'float32'), false),
  LessEqual: binary((a, b) => tf.cast(tf.lessEqual(a!, b!), 'float32'), false),
  LogicalAnd: {
    fn: (a, b) => tf.cast(tf.logicalAnd(a!, b!), 'float32'),
    inputs: [bools([4], [0, 0, 1, 1]), bools([4], [0, 1, 0, 1])],
    grad: false,
  },
  LogicalOr: {
    fn: (a, b) => tf.cast(tf.logicalOr(a!, b!), 'float32'),
    inputs: [bools([4], [0, 0, 1, 1]), bools([4], [0, 1, 0, 1])],
    grad: false,
  },
  LogicalNot: { fn: a => tf.cast(tf.logicalNot(a!), 'float32'), inputs: [bools([2], [0, 1])], grad: false },
  Cast: unary(x => tf.cast(tf.cast(x!, 'int32'), 'float32'), m, false),
  Select: {
    fn: (a, b, c) => tf.where(c!, a!, b!),
    inputs: [m, m2, bools([3, 4], [1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1])],
  },
  Identity: unary(x => tf.mul(tf.clone(x!), x!)),
  Reshape: unary(x => tf.square(tf.reshape(x!, [2, 6]))),
  ExpandDims: unary(x => tf.square(tf.expandDims(x!, 1))),
  Transpose: unary(x => tf.square(tf.transpose(x!, [2, 0, 1])), t3),
  Slice: unary(x => tf.square(tf.slice(x!, [0, 1, 1], [2, 2, 2])), t3),
  Concat: { fn: (a, b) => tf.square(tf.concat([a!, b!, a!], 1)), inputs: [m, m2] },
  PadV2: unary(x =>
    tf.square(
      tf.pad(
        x!,
        [
          [1, 0],
          [0, 2],
        ],
        3,
      ),
    ),
  ),
  Tile: {
    fn: (a, b) => tf.mul(tf.tile(a!, [2, 3]), tf.tile(tf.reshape(b!, [1, 4]), [6, 3])),
    inputs: [m, row],
  },
  Pack: { fn: (a, b) => tf.square(tf.stack([a!, b!], 1)), inputs: [m, m2] },
  Unpack: unary(x => tf.unstack(tf.square(x!), 1).reduce((a, b) => tf.mul(a, b)), m2),
  SplitV: unary(x => {
    const [first, middle, last] = tf.split(x!, [1, -1, 1], 1) as [tf.Tensor, tf.Tensor, tf.Tensor]
    return tf.concat([tf.square(middle), ...tf.split(tf.mul(middle, first), 2, 1), last], 1)
  }),
  ZerosLike: unary(x => tf.add(tf.square(x!), tf.zerosLike(x!))),
  OnesLike: unary(x => tf.sub(tf.square(x!), tf.onesLike(x!))),
  Fill: unary(x => tf.mul(tf.fill([3, 4], 2.5), x!)),
  Sum: unary(x => tf.square(tf.sum(x!, [0, 2])), t3),
  Mean: unary(x => tf.square(tf.mean(x!, -1, true)), t3),
  Max: unary(x => tf.square(tf.max(x!, 1)), t3),
  Min: unary(x => tf.square(tf.min(x!, 1, true)), t3),
  Prod: unary(x => tf.prod(x!, 1), m2, false),
  Softmax: unary(x => tf.square(tf.softmax(x!)), t3),
  LogSoftmax: unary(x => tf.square(tf.logSoftmax(x!)), t3),
  BatchMatMul: {
    fn: (a, b) => tf.square(tf.matMul(a!, b!, false, true)),
    inputs: [filled([2, 3, 5]), filled([2, 4, 5])],
  },
  GatherV2: {
    fn: (a, i) => tf.square(tf.gather(a!, tf.cast(i!, 'int32'))),
    inputs: [m, ints([2, 2], [0, 2, 2, 1])],
  },
  UnsortedSegmentSum: {
    fn: (a, i) => tf.square(tf.unsortedSegmentSum(a!, tf.cast(i!, 'int32').as1D(), 4)),
    inputs: [m, ints([3], [3, 0, 3])],
  },
  OneHot: {
    fn: i => tf.add(tf.cast(tf.oneHot(i!, 4), 'float32'), tf.oneHot(i!, 4, 3, -1, 'float32')),
    inputs: [ints([3], [0, 3, 1])],
    grad: false,
  },
}

const dtypeOf = ({ data }: HostTensor): DType =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'bool'

/** Values of the case, and gradients of its weighted sum with respect to every float input. */
function withGradients({ fn, inputs, grad }: Case): TensorFunction {
  return named => {
    const x = inputs.map((_, i) => named[`x${i}`]!)
    const y = fn(...x)
    if (grad === false) return { y }
    const floats = x.flatMap((tensor, i) => (tensor.dtype === 'float32' ? [i] : []))
    const weighted = (...picked: tf.Tensor[]) => {
      const all = x.map((tensor, i) => (floats.includes(i) ? picked[floats.indexOf(i)]! : tensor))
      const out = fn(...all)
      const weights = filled([...out.shape])
      return tf.sum(tf.mul(out, tf.tensor(weights.data, out.shape))) as tf.Scalar
    }
    const grads = tf.grads(weighted)(floats.map(i => x[i]!))
    return { y, ...Object.fromEntries(grads.map((g, i) => [`g${i}`, g])) }
  }
}

for (const [kernel, example] of Object.entries(CASES)) {
  test(`${kernel} traced agrees with eager`, async () => {
    const specs = Object.fromEntries(
      example.inputs.map((x, i) => [`x${i}`, { shape: x.shape, dtype: dtypeOf(x) }]),
    )
    const feeds = Object.fromEntries(example.inputs.map((x, i) => [`x${i}`, x]))
    const fn = withGradients(example)
    const got = await (await traced.compile(fn, specs)).run(feeds)
    const want = await (await eager.compile(fn, specs)).run(feeds)
    assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort())
    for (const name of Object.keys(want)) assertClose(got[name]!, want[name]!, `${kernel} ${name}`)
  })
}

test('every rule has a case', () => {
  assert.deepEqual(Object.keys(CASES).sort(), Object.keys(RULES).sort())
})

test('matrix products agree for every transposition and rank', async () => {
  for (const [ta, tb] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    for (const batch of [[], [2], [2, 3]]) {
      const a = filled([...batch, ...(ta ? [5, 3] : [3, 5])])
      const b = filled([...batch, ...(tb ? [4, 5] : [5, 4])])
      const fn: TensorFunction = x => ({ y: tf.matMul(x['a']!, x['b']!, ta, tb) })
      const specs = {
        a: { shape: a.shape, dtype: 'float32' as const },
        b: { shape: b.shape, dtype: 'float32' as const },
      }
      const got = await (await traced.compile(fn, specs)).run({ a, b })
      const want = await (await eager.compile(fn, specs)).run({ a, b })
      assertClose(got['y']!, want['y']!, `matMul ${ta} ${tb} rank ${batch.length + 2}`)
    }
  }
})

test('a kernel without a rule fails by name at trace time', async () => {
  const inputs = { x: { shape: [3], dtype: 'float32' as const } }
  await assert.rejects(
    trace(({ x }) => ({ y: tf.atan(x!) }), { inputs }),
    /no tracing rule for TensorFlow.js kernel Atan/,
  )
})

test('reading a value during a trace fails instead of baking it in', async () => {
  const inputs = { x: { shape: [3], dtype: 'float32' as const } }
  await assert.rejects(
    trace(({ x }) => ({ y: tf.scalar(x!.dataSync()[0]!) }), { inputs }),
    /a value was read during tracing/,
  )
})
