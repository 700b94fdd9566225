// Stands in for the round's process: does what the seed of its order says. Knows no test.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RoundNews, RoundOrder } from '../../src/train/round/messages.ts'

/** Seeds of orders and what this process makes of them; one that is held or killed is promoted when it runs again. */
export const ACTS = {
  promoted: 1,
  rejected: 2,
  failed: 3,
  crash: 4,
  held: 5,
  killed: 6,
  killedAlways: 7,
} as const

const tell = (news: RoundNews, then = () => {}) => process.send!(news, then)

process.once('message', ({ seed, outDir, version }: RoundOrder) => {
  const end = (news: RoundNews) => tell(news, () => process.exit(0))
  const promote = () => end({ kind: 'done', decision: 'promoted', reason: 'Better.', figures: { a: 1 } })
  const left = join(outDir, '.rounds', version)
  const isAgain = existsSync(left)
  tell({ kind: 'progress', stage: 'learn', percent: isAgain ? 60 : 50, figures: {} })
  if (seed === ACTS.promoted) promote()
  if (seed === ACTS.rejected) end({ kind: 'done', decision: 'rejected', reason: 'Worse.', figures: { a: 1 } })
  if (seed === ACTS.failed) end({ kind: 'failed', message: 'There is no slice.' })
  if (seed === ACTS.crash) {
    process.stderr.write('SyntaxError: "secret traffic" is no JSON\n    at parse (round.ts:1:1)\n')
    process.exit(7)
  }
  if (seed < ACTS.held) return
  mkdirSync(left, { recursive: true })
  if (seed === ACTS.killedAlways) process.kill(process.pid, 'SIGKILL')
  if (isAgain) return promote()
  if (seed === ACTS.killed) process.kill(process.pid, 'SIGKILL')
  setInterval(() => {}, 1000) // a process that listens to nobody any more would end
  process.once('SIGTERM', () => {
    writeFileSync(join(left, 'stopped'), '')
    end({ kind: 'failed', message: 'The round was stopped.' })
  })
})
