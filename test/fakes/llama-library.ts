// A small double of node-llama-cpp: its tokens are bytes, and its model adds up the numbers of a problem. Knows no test.
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import type { ChatItem, LlamaLibrary, LlamaModel, LlamaSequence } from '../../src/llm/gguf-library.ts'
import { solveBySeed } from './llm-solver.ts'

const END = 256
const START = 257
/** The most of these that were in use at the same time, and the prompt tokens taken in by all of them. */
export const seen = { atOnce: 0, tokensTaken: 0 }

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)]
const textOf = (tokens: readonly number[]): string =>
  new TextDecoder().decode(Uint8Array.from(tokens.filter(token => token < 256)))

/** `[user]…[model]…`, as a chat template would write it. */
const written = (history: readonly ChatItem[]): string =>
  history.map(item => `[${item.type}]${item.type === 'model' ? item.response.join('') : item.text}`).join('')

/** What the model would say next: `endless` words, nothing it can (`broken`, and `handle` with an error that no message can hold), or the rest of a solution. */
function* wordsAfter(state: string, seed: number): Generator<string> {
  const asked = state.slice(state.indexOf('[user]') + '[user]'.length)
  const [problem = '', partial = ''] = asked.split('[model]')
  if (problem.includes('broken')) throw new Error(`cannot read ${problem}`)
  if (problem.includes('handle'))
    throw Object.assign(new TypeError('lost', { cause: { free: () => {} } }), { handle: () => {} })
  while (problem.includes('endless')) yield 'on '
  const given = partial.split(/\n\n/).filter(step => step.trim() !== '').length
  yield solveBySeed(problem, seed).split('\n\n').slice(given).join('\n\n')
}

const inUse = new Set<object>()

function createSequence(): LlamaSequence {
  const state: number[] = []
  const sequence: LlamaSequence = {
    get nextTokenIndex() {
      return state.length
    },
    compareContextTokens(tokens) {
      const at = state.findIndex((token, i) => token !== tokens[i])
      return { firstDifferentIndex: at < 0 ? state.length : at }
    },
    async adaptStateToTokens(tokens) {
      state.length = sequence.compareContextTokens(tokens).firstDifferentIndex
    },
    async *evaluateWithMetadata(tokens, { confidence }, { seed }) {
      inUse.add(sequence)
      seen.atOnce = Math.max(seen.atOnce, inUse.size)
      seen.tokensTaken += tokens.length
      state.push(...tokens)
      const odds = confidence ? { confidence: 0.5 } : {}
      try {
        for (const word of wordsAfter(textOf(state), seed)) {
          for (const token of bytesOf(word)) {
            await turn()
            yield { token, ...odds }
            state.push(token)
          }
        }
        yield { token: END, ...odds }
      } finally {
        inUse.delete(sequence)
      }
    },
  }
  return sequence
}

const createModel = (): LlamaModel => ({
  tokenizer: null,
  tokens: { bos: START },
  isEogToken: token => token === END,
  detokenize: textOf,
  createContext: async ({ sequences, contextSize }) => {
    if (sequences * contextSize.max > 2 ** 20) throw new Error('out of memory')
    return { contextSize: contextSize.max, getSequence: createSequence, dispose: async () => {} }
  },
  dispose: async () => {},
})

export const getLlama: LlamaLibrary['getLlama'] = async () => ({
  async loadModel({ modelPath }) {
    const magic = readFileSync(modelPath).toString('latin1', 0, 4)
    if (magic !== 'GGUF') throw new Error(`expected GGUF, found ${magic}`)
    return createModel()
  },
  dispose: async () => {},
})

export const resolveChatWrapper: LlamaLibrary['resolveChatWrapper'] = () => ({
  generateContextState: ({ chatHistory }) => ({
    contextText: { tokenize: () => [START, START, ...bytesOf(written(chatHistory))] },
    stopGenerationTriggers: [{ tokenize: () => [END] }, { tokenize: () => bytesOf('[user]') }],
  }),
})
