// Which handler answers which operation. Knows no path and no method: those are in the contract.
import type { Contract } from './contract.ts'
import type { Deps } from './deps.ts'
import type { Operations } from './operations.ts'
import { chatCompletions, listModels } from './routes/chat.ts'
import { listCritics, namedCritics, promoteCritic, rollbackCritic } from './routes/critics.ts'
import { critique } from './routes/critique.ts'
import { listDecisions } from './routes/decisions.ts'
import { feedback } from './routes/feedback.ts'
import { cancelJob, getJob, listJobs, pauseJob, resumeJob, retrain } from './routes/jobs.ts'
import { abortRollout, getRollout, skipRollout } from './routes/rollout.ts'
import { clearSchedule, getSchedule, setSchedule } from './routes/schedule.ts'
import { search } from './routes/search.ts'
import { deleteSearch, getSearch } from './routes/searches.ts'
import { contract as contractRoute, healthz, metrics, readyz } from './routes/service.ts'
import { createSearches } from './searches.ts'

/** One handler for each operationId; the compiler sees that none is missing and none is surplus. */
export function createHandlers(deps: Deps, contract: Contract): Operations {
  const searches = createSearches(deps.now, deps.config.searches)
  return {
    critique: critique(deps),
    search: search(deps, searches),
    getSearch: getSearch(searches),
    deleteSearch: deleteSearch(searches),
    chatCompletions: chatCompletions(deps, searches, contract),
    listModels: listModels(deps),
    feedback: feedback(deps),
    retrain: retrain(deps),
    listJobs: listJobs(deps),
    getJob: getJob(deps),
    namedCritics: namedCritics(deps),
    listCritics: listCritics(deps),
    promoteCritic: promoteCritic(deps),
    rollbackCritic: rollbackCritic(deps),
    listDecisions: listDecisions(deps),
    getRollout: getRollout(deps),
    skipRollout: skipRollout(deps),
    abortRollout: abortRollout(deps),
    pauseJob: pauseJob(deps),
    resumeJob: resumeJob(deps),
    cancelJob: cancelJob(deps),
    getSchedule: getSchedule(deps),
    setSchedule: setSchedule(deps),
    clearSchedule: clearSchedule(deps),
    healthz,
    readyz: readyz(deps),
    metrics: metrics(deps),
    contract: contractRoute(contract),
  }
}
