// What an operator sees of a rollout and can wish for. Knows no HTTP.
import type { Store } from '../store/types.ts'
import { changeRollout, type Rollout, readRollout, readTallies } from './state.ts'
import { type TallyFigures, tallyFigures } from './tally.ts'

/** Reads and changes the shared state. */
export function showRollout(store: Store) {
  return {
    async show(): Promise<(Rollout & { readonly figures: TallyFigures }) | null> {
      const rollout = (await readRollout(store))?.rollout
      return rollout ? { ...rollout, figures: tallyFigures(await readTallies(store, rollout)) } : null
    },

    /** The trainer acts on it; what is only watched is nobody's job any more and ends at once. */
    async wish(wish: 'skip' | 'abort'): Promise<boolean> {
      let isThere = false
      await changeRollout(store, now => {
        isThere = now !== null
        if (now === null) return null
        return now.stage === 'watch' ? 'end' : { ...now, wish }
      })
      return isThere
    },
  }
}
