// Builds the HTTP app from the contract and the handlers. Never listens, reads no environment, handles no signal.
import express, { type Express, type RequestHandler } from 'express'
import { type Contract, type ContractOperation, loadContract } from './contract.ts'
import type { Deps } from './deps.ts'
import { createHandlers } from './handlers.ts'
import { adminAuth } from './middleware/admin-auth.ts'
import { jsonBody } from './middleware/json-body.ts'
import { observe } from './middleware/observe.ts'
import { requestId } from './middleware/request-id.ts'
import { traceRequest } from './middleware/trace.ts'
import type { OperationId, Operations } from './operations.ts'
import { methodNotAllowed, notFound, problemHandler } from './problem.ts'
import { bodyCheckers } from './validate.ts'

const DEFAULT_BODY_LIMIT_BYTES = 2 ** 20

/** The app: every operation of openapi.yaml mounted on its handler, and nothing else. */
export function createApp(deps: Deps): Express {
  const contract = loadContract()
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(requestId(deps), observe(deps), traceRequest, plainHeaders)
  mount(app, contract, createHandlers(deps, contract), deps)
  app.use(notFound)
  app.use(problemHandler(deps.log))
  return app
}

function mount(app: Express, contract: Contract, handlers: Operations, deps: Deps): void {
  const checkers = bodyCheckers(contract)
  const auth = adminAuth(deps.config.adminKey)
  const limitBytes = deps.config.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES
  for (const [path, operations] of Map.groupBy(contract.operations, ({ path }) => path)) {
    const route = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'))
    route.all(nameRoute(path))
    for (const { operationId, method, admin, body } of operations) {
      const check = checkers.get(operationId)
      const steps: RequestHandler[] = []
      if (admin) steps.push(auth)
      if (check !== undefined) steps.push(jsonBody({ limitBytes, required: body === 'required', check }))
      steps.push(handlerOf(handlers, operationId))
      route[method as 'get' | 'post' | 'delete'](...steps)
    }
    route.all(methodNotAllowed(operations.map(({ method }: ContractOperation) => method.toUpperCase())))
  }
}

// Each handler's own types were checked against the contract where it was written; here they meet as plain Express ones.
function handlerOf(handlers: Operations, operationId: string): RequestHandler {
  const handler = handlers[operationId as OperationId] as unknown as RequestHandler | undefined
  if (handler === undefined)
    throw new Error(`openapi.yaml has an operation without a handler: ${operationId}`)
  return handler
}

function nameRoute(path: string): RequestHandler {
  return function nameRoute(_req, res, next) {
    res.locals.route = path
    next()
  }
}

// Answers are about one request: no cache may keep them, and no browser may guess at what they are.
const plainHeaders: RequestHandler = function plainHeaders(_req, res, next) {
  res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' })
  next()
}
