// Sends spans to an OpenTelemetry collector, when one is configured: the SDK is loaded only then. Knows no span.
import type { Log } from './log.ts'

/** Sent spans. */
export interface Telemetry {
  /** Sends what is left, for at most two seconds: a collector that is away must not hold up the end. */
  close(): Promise<void>
}

const CLOSE_MS = 2000

/**
 * Starts sending spans over OTLP/HTTP with JSON. The exporter reads its standard variables itself (OTEL_EXPORTER_OTLP_ENDPOINT,
 * _HEADERS, _TIMEOUT, _COMPRESSION). Every trace is sent, unless its `traceparent` says that it is not sampled. A collector that
 * fails costs spans, never a request.
 * @param service as spans name it, unless OTEL_SERVICE_NAME does
 */
export async function startTelemetry({ service, log }: { service: string; log: Log }): Promise<Telemetry> {
  const { context, diag, DiagLogLevel, propagation, trace } = await import('@opentelemetry/api')
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks')
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core')
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const { resourceFromAttributes } = await import('@opentelemetry/resources')
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace')

  // Its own messages may quote what a collector answered.
  const say = () => log.warn({}, 'spans could not be sent')
  const quiet = () => {}
  diag.setLogger({ error: say, warn: say, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': process.env['OTEL_SERVICE_NAME'] || service }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  trace.setGlobalTracerProvider(provider)
  return {
    async close() {
      const late = new Promise<void>(resolve => setTimeout(resolve, CLOSE_MS).unref())
      await Promise.race([provider.shutdown().catch(say), late])
    },
  }
}
