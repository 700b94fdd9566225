// A world whose every reply a test writes down, for methods that go step by step.
import type { ProposeRequest } from '../../src/search/types.ts'
import { createWalkWorld, type WalkOptions } from './world.ts'

/**
 * Reply number k after the same steps is script(steps, k): `text`, or `text!` where the solution ends. A step's score is the
 * number after its `@`.
 */
export function scripted(script: (steps: readonly string[], k: number) => string, more: WalkOptions = {}) {
  const counts = new Map<string, number>()
  return createWalkWorld({
    text: ({ steps, temperature }: ProposeRequest) => {
      const key = JSON.stringify([steps, temperature > 0])
      const k = counts.get(key) ?? 0
      counts.set(key, k + 1)
      const text = script(steps, k)
      return { text: text.replace(/!$/, ''), ended: text.endsWith('!') }
    },
    score: step => Number(step.match(/@([\d.]*\d)/)?.[1] ?? 0.5),
    ...more,
  })
}

/** How many steps a call goes on from. */
export const depthOf = ({ steps }: ProposeRequest) => steps.length
/** Calls by the number of steps they go on from. */
export const countBy = (requests: readonly ProposeRequest[]) =>
  Array.from(
    { length: Math.max(...requests.map(depthOf)) + 1 },
    (_, depth) => requests.filter(request => depthOf(request) === depth).length,
  )
