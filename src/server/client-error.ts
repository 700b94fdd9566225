// Answers what Node's HTTP parser refuses, which no handler ever sees, with a problem document too. Knows no route.
import type { Duplex } from 'node:stream'
import { AppError } from '../errors.ts'
import type { Deps } from './deps.ts'
import { toProblem } from './problem.ts'

/** A listener for the server's `clientError`: answers with a problem, then hangs up. */
export function answerClientErrors({ newId, log }: Pick<Deps, 'newId' | 'log'>) {
  return function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    // A reset connection, or one whose answer has begun, can take no further answer (as in Node's own listener).
    const { _httpMessage: begun } = socket as { _httpMessage?: { headersSent: boolean } | null }
    if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) return void socket.destroy()
    const refusal = readRefusal(error.code)
    const problem = toProblem(refusal, newId('req'))
    log.info(
      { request_id: problem.request_id, status: problem.status, code: problem.code },
      'not an HTTP request',
    )
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${REASONS[problem.status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${problem.request_id}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

function readRefusal(code: string | undefined): AppError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('HEADERS_TOO_LARGE', 'Address and headers may have 16 kB together.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('REQUEST_TIMEOUT', 'The request did not arrive in full in time.')
    default:
      return new AppError('BAD_REQUEST', 'What arrived is not an HTTP/1.1 request.')
  }
}
