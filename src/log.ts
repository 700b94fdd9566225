// The log: one JSON object a line. Knows no request; never writes what a client sent, whatever it is handed.
import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import { AppError } from './errors.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Where a line goes. Fields named `error` are reduced by `describeError`. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log that adds `fields` to every line. */
  child(fields: object): Log
}

/** Opens a log. Lines go to `stream`, or to standard output; those below `level` are dropped. */
export function createLog(options: { level: LogLevel; stream?: DestinationStream }): Log {
  const settings = {
    level: options.level,
    base: null,
    messageKey: 'message',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: describeError },
  }
  return options.stream === undefined ? pino(settings) : pino(settings, options.stream)
}

interface ErrorDescription {
  name: string
  code?: string
  message?: string
  at?: string[]
  cause?: ErrorDescription
}

/**
 * What may be logged of an error: name, code, stack frames and up to three causes. The message only where it is known to
 * be ours or the system's: an arbitrary one may quote a prompt or a key (`JSON.parse` quotes its input).
 */
function describeError(error: unknown, depth = 3): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  // V8 writes these without quoting data; Node's own, which may, carry a code.
  const fromEngine = code === undefined && /^(Type|Range|Reference)Error$/.test(error.name)
  const safe = error instanceof AppError || typeof syscall === 'string' || fromEngine
  const frames = error.stack?.split('\n').filter(line => /^ {4}at /.test(line))
  return {
    name: error.name,
    ...(typeof code === 'string' && { code }),
    ...(safe && { message: error.message }),
    ...(frames && { at: frames.slice(0, 10).map(line => line.trim()) }),
    ...(depth > 0 && error.cause !== undefined && { cause: describeError(error.cause, depth - 1) }),
  }
}

/** What may fail again and again while something is away, told of twice: when it begins and when it is over. */
export interface Outage {
  failed(error: unknown): void
  worked(): void
}

/** `message` says what fails. */
export function outageOf(log: Pick<Log, 'warn' | 'info'>, message: string, fields: object = {}): Outage {
  let isDown = false
  return {
    failed(error) {
      if (!isDown) log.warn({ ...fields, error }, message)
      isDown = true
    },
    worked() {
      if (isDown) log.info(fields, `${message}: that is over`)
      isDown = false
    },
  }
}
