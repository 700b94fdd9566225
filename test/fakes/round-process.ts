// Stands in for the round's process: does what the seed of its order says. Knows no test.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RoundNews, RoundOrder } from '../../src/train/round/messages.ts'

/** Seeds of orders and what this process makes of them. */
export const ACTS = { promoted: 1, rejected: 2, failed: 3, crash: 4, killedOnce: 5, killed: 6 } as const

const tell = (news: RoundNews, then = () => {}) => process.send!(news, then)

process.once('message', ({ seed, outDir }: RoundOrder) => {
  tell({ kind: 'progress', stage: 'learn', percent: 50, figures: {} })
  const end = (news: RoundNews) => tell(news, () => process.exit(0))
  const mark = join(outDir, 'killed')
  const isSecond = seed === ACTS.killedOnce && existsSync(mark)
  if (seed === ACTS.killed || (seed === ACTS.killedOnce && !isSecond)) {
    if (seed === ACTS.killedOnce) writeFileSync(mark, '')
    process.kill(process.pid, 'SIGKILL')
  }
  if (seed === ACTS.promoted || isSecond)
    end({ kind: 'done', decision: 'promoted', reason: 'Better.', figures: { a: 1 } })
  if (seed === ACTS.rejected) end({ kind: 'done', decision: 'rejected', reason: 'Worse.', figures: { a: 1 } })
  if (seed === ACTS.failed) end({ kind: 'failed', message: 'There is no slice.' })
  if (seed === ACTS.crash) {
    process.stderr.write('SyntaxError: "secret traffic" is no JSON\n    at parse (round.ts:1:1)\n')
    process.exit(7)
  }
})
