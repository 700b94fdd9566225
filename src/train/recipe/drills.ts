// Arithmetic drills: rows of plain equations, so that a small language model sees many more of them than problems hold.
// Knows no model.
import type { Example } from '../data/example.ts'
import type { Rng } from '../rng.ts'

const EQUATIONS_PER_ROW = 8
const EQUATION = /\d+(?:\.\d+)? [-+*/] \d+(?:\.\d+)? = \d+(?:\.\d+)?/g

/** One equation of the sizes that generated problems have; always exact, never negative. */
function freshEquation(rng: Rng): string {
  const a = rng.int(2, 99)
  const b = rng.int(2, 99)
  const small = rng.int(2, 12)
  switch (rng.int(0, 3)) {
    case 0:
      return `${a} + ${b} = ${a + b}`
    case 1:
      return `${a + b} - ${b} = ${a}`
    case 2:
      return rng.uniform() < 0.5 ? `${a} * ${small} = ${a * small}` : `${small} * ${a} = ${small * a}`
    default:
      return `${a * small} / ${small} = ${a}`
  }
}

/** Rows that together hold every equation of `steps` once and `fresh` more, shuffled. */
export function drillExamples(rng: Rng, steps: readonly string[], fresh: number): Example[] {
  const found = steps.flatMap(step => step.match(EQUATION) ?? [])
  const all = rng.shuffle([...found, ...Array.from({ length: fresh }, () => freshEquation(rng))])
  const rows = Math.floor(all.length / EQUATIONS_PER_ROW)
  return Array.from({ length: rows }, (_, i) => {
    const equations = all
      .slice(i * EQUATIONS_PER_ROW, (i + 1) * EQUATIONS_PER_ROW)
      .map(equation => `${equation}.`)
    return {
      problem: 'Practice.',
      steps: equations,
      labels: equations.map(() => 1),
      source: 'construction',
      imitate: true,
    }
  })
}
