// The admin routes of the schedule: look, set (paused or not), remove. Knows nothing of when a round starts.
import type { components } from '../api.d.ts'
import type { Deps, ScheduleSet } from '../deps.ts'
import type { Operation } from '../operations.ts'

export const getSchedule =
  ({ schedule }: Deps): Operation<'getSchedule'> =>
  async (_req, res) => {
    res.json(word(await schedule.show()))
  }

export const setSchedule =
  ({ schedule }: Deps): Operation<'setSchedule'> =>
  async (req, res) => {
    const { after_items = null, cron = null, minutes, paused } = req.body
    res.json(word(await schedule.set({ after_items, cron, minutes, paused })))
  }

export const clearSchedule =
  ({ schedule }: Deps): Operation<'clearSchedule'> =>
  async (_req, res) => {
    await schedule.clear()
    res.json(word(null))
  }

function word(set: ScheduleSet | null): components['schemas']['ScheduleState'] {
  if (set === null) return { schedule: null }
  const { after_items, cron, minutes, paused, last_count, last_at } = set
  const last = { last_count, last_at: new Date(last_at).toISOString() }
  return { schedule: { after_items, cron, minutes, paused, ...last } }
}
