// A small real OpenTelemetry collector: takes spans over OTLP/HTTP with JSON and keeps them. Knows no test.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface SpanSeen {
  readonly traceId: string
  readonly spanId: string
  /** Empty for a root. */
  readonly parentSpanId: string
  readonly name: string
  readonly service: string
  /** Milliseconds. */
  readonly start: number
  readonly ms: number
  readonly failed: boolean
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string
  readonly spans: readonly SpanSeen[]
  close(): Promise<void>
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: string | number
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type Attributes = readonly { readonly key: string; readonly value: Value }[]
interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes }
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[]
  }[]
}
interface RawSpan extends Pick<SpanSeen, 'traceId' | 'spanId' | 'name'> {
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code?: number }
  readonly attributes: Attributes
}

/** Starts one on a free port of 127.0.0.1. */
export async function startCollector(): Promise<Collector> {
  const spans: SpanSeen[] = []
  const server = createServer(async (req, res) => {
    if (req.url === '/v1/traces' && req.headers['content-type'] === 'application/json')
      spans.push(...read((await json(req)) as Body))
    else res.statusCode = 404
    res.setHeader('content-type', 'application/json').end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const read = ({ resourceSpans }: Body): SpanSeen[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(span => {
        const [start, end] = [span.startTimeUnixNano, span.endTimeUnixNano].map(nano => Number(nano) / 1e6)
        return {
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId ?? '',
          name: span.name,
          service: String(factsOf(resource.attributes)['service.name']),
          start: start!,
          ms: end! - start!,
          failed: span.status?.code === 2,
          facts: factsOf(span.attributes),
        }
      }),
    ),
  )

const factsOf = (attributes: Attributes) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  )
