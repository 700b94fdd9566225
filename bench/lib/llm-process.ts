// The upstream of the search benchmark in a process of its own: every answer waits equally long. Says its address; knows no search.
import { startLlmServer } from '../../test/fakes/llm-server.ts'
import { solveBySeed } from '../../test/fakes/llm-solver.ts'

/** Words that differ from seed to seed, so that a search has siblings to choose from. */
const solve = (problem: string, seed: number): string => {
  const steps = solveBySeed(problem, seed).split('\n\n')
  return steps
    .map((step, i) => (i === steps.length - 1 ? step : `${step} (way ${(seed >> i) % 5})`))
    .join('\n\n')
}

const server = await startLlmServer({ solve, delayMs: Number(process.argv[2]) })
process.send!(server.url)
process.once('disconnect', () => process.exit())
