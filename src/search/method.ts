// What a search method is given and must return. Knows no method by name.
import type { Calls } from './calls.ts'
import { SearchError } from './error.ts'
import type { MethodName, ParamValues } from './params.ts'
import type { SearchEvent, Selection, World } from './types.ts'

export interface MethodContext {
  readonly problem: string
  readonly params: ParamValues
  /** For the method's own chance. Any safe integer ≥ 0. */
  readonly seed: number
  /** τ in [0, 1]: a step is right when its score is at least this. */
  readonly threshold: number
  /** True when the LLM can go on from given steps. */
  readonly canContinue: boolean
  /** True when the LLM can be told in words what to do. */
  readonly canInstruct: boolean
  readonly calls: Calls
  readonly world: Pick<World, 'split' | 'extract' | 'canon' | 'finding' | 'verdict'>
}

/**
 * One search method. Reports `step`, `score`, `candidate`, `prune` and `best`; usage and failed calls are reported for it.
 * @throws {SearchError} METHOD_UNSUPPORTED when the LLM cannot do what the method needs
 */
export type Method = (context: MethodContext) => AsyncGenerator<SearchEvent, Selection>

/** @throws {SearchError} METHOD_UNSUPPORTED when the LLM cannot continue a partial answer */
export function requireContinuation({ canContinue }: MethodContext, method: MethodName): void {
  if (canContinue) return
  throw new SearchError('METHOD_UNSUPPORTED', `${method} needs an LLM that can continue a partial answer`)
}

/** @throws {SearchError} METHOD_UNSUPPORTED when the LLM cannot be told what to do */
export function requireInstruction({ canInstruct }: MethodContext, method: MethodName): void {
  if (canInstruct) return
  throw new SearchError('METHOD_UNSUPPORTED', `${method} needs an LLM that follows instructions`)
}
