// An exchange over fetch, which Spar's own is measured against. Knows no search.
import type { Exchange } from '../../src/llm/exchange.ts'

export const overFetch: Exchange = async (url, { headers, body }, signal) => {
  const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
  return {
    status: answer.status,
    header: name => answer.headers.get(name),
    async read(take) {
      for await (const bytes of answer.body ?? []) if (take(bytes)) return
    },
    discard: () => {},
  }
}
