// Spans, behind verbs: what took how long within one request, across services (OpenTelemetry). Without a set-up, which only
// `telemetry.ts` makes, every verb does nothing. No attribute may hold a text of a client's.
import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { AppError } from './errors.ts'

export type SpanFacts = Attributes

const tracer = () => trace.getTracer('spar')

/** What a span may be told while it runs. */
export interface OpenSpan {
  add(facts: SpanFacts): void
}

/** Runs `task` in a span below the current one. A failure marks the span with its code, never with its message, and goes on. */
export async function inSpan<T>(
  name: string,
  facts: SpanFacts,
  task: (span: OpenSpan) => Promise<T>,
  kind: 'internal' | 'client' = 'internal',
): Promise<T> {
  const spanKind = kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL
  return tracer().startActiveSpan(name, { attributes: facts, kind: spanKind }, async span => {
    try {
      return await task({ add: more => void span.setAttributes(more) })
    } catch (error) {
      markFailed(span, codeOf(error))
      throw error
    } finally {
      span.end()
    }
  })
}

/** A span of a request: what `run` starts is below it, across every await. */
export interface RequestSpan {
  run(handle: () => void): void
  /** `failure` is the code of what went wrong. */
  end(name: string, facts: SpanFacts, failure?: string): void
}

/** Begins the span of a request, below the one that its `traceparent` header names (W3C Trace Context). */
export function startRequest(headers: Readonly<Record<string, unknown>>): RequestSpan {
  const outer = propagation.extract(context.active(), headers)
  const span = tracer().startSpan('request', { kind: SpanKind.SERVER }, outer)
  const inner = trace.setSpan(outer, span)
  return {
    run: handle => context.with(inner, handle),
    end(name, facts, failure) {
      span.updateName(name)
      span.setAttributes(facts)
      if (failure !== undefined) markFailed(span, failure)
      span.end()
    },
  }
}

/** Headers that let a called service go on with this trace: `traceparent`, or none without a trace. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  propagation.inject(context.active(), headers)
  return headers
}

/**
 * Spans for stages that are only known once they are over, one after the other, below the current span. Milliseconds;
 * `startedAt` is of `performance.now()`.
 */
export function addStages(startedAt: number, stages: readonly (readonly [name: string, ms: number])[]): void {
  let at = performance.timeOrigin + startedAt
  for (const [name, ms] of stages) {
    tracer()
      .startSpan(name, { startTime: at })
      .end(at + ms)
    at += ms
  }
}

function markFailed(span: Span, code: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', code)
}

const codeOf = (error: unknown): string =>
  error instanceof AppError ? error.code : error instanceof Error ? error.name : typeof error
