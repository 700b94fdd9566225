// A GGUF model on the calling thread: chats in, texts out, several at a time. Knows no thread, no prompt and no search.
import { existsSync } from 'node:fs'
import { AppError } from '../errors.ts'
import {
  type ChatItem,
  type LlamaModel,
  type LlamaSequence,
  type LlamaToken,
  loadLlamaLibrary,
} from './gguf-library.ts'
import { createSlots } from './gguf-slots.ts'
import { createWriter } from './gguf-writer.ts'
import type { ChatMessage } from './prompt.ts'

export interface GgufOptions {
  /** Path of the file. */
  readonly path: string
  /** Module to run it with; see `loadLlamaLibrary`. */
  readonly library?: string | undefined
  readonly threads: number
  /** Whether a GPU may be used where there is one. */
  readonly gpu: boolean
  /** Tokens a text may have, its prompt included; less where memory or the model allows less. */
  readonly contextTokens: number
  /** Texts at the same time. */
  readonly parallel: number
}

export interface GgufAsk {
  /** A last message of the assistant is gone on from. */
  readonly messages: readonly ChatMessage[]
  /** Ends the text where it appears behind a first word and outside a thinking block. */
  readonly stop: string | null
  readonly temperature: number
  readonly maxTokens: number
  readonly seed: number
  readonly logprobs: boolean
}

export interface GgufText {
  readonly text: string
  readonly endedBy: 'stop_sequence' | 'end_of_text' | 'length'
  readonly promptTokens: number
  /** Tokens sampled, the one that ended the text included. */
  readonly completionTokens: number
  /** Mean natural log-probability of those tokens; null where not asked for. */
  readonly meanLogprob: number | null
}

export interface GgufModel {
  /**
   * Writes one text. `isGone` is asked between tokens; what a text that is gone gives means nothing.
   * @throws {AppError} LLM_REFUSED when the prompt leaves no room in the context
   */
  write(ask: GgufAsk, isGone: () => boolean): Promise<GgufText>
  close(): Promise<void>
}

/** Opens the file. @throws {AppError} LLM_UNREACHABLE when the library, the file or the memory for it is missing */
export async function openGguf(options: GgufOptions): Promise<GgufModel> {
  const unreachable = (message: string) => (cause: unknown) => {
    throw new AppError('LLM_UNREACHABLE', message, { cause })
  }
  const { threads, gpu, parallel, contextTokens, path } = options
  if (!existsSync(path)) throw new AppError('LLM_UNREACHABLE', 'There is no file at the path in SPAR_GGUF.')
  const library = await loadLlamaLibrary(options.library)
  const llama = await library
    .getLlama({
      build: 'never',
      skipDownload: true,
      gpu: gpu ? 'auto' : false,
      maxThreads: threads,
      logLevel: 'error',
      // Its log may quote the file.
      logger: () => {},
    })
    .catch(unreachable('node-llama-cpp has no binary that runs on this machine.'))
  const model = await llama
    .loadModel({ modelPath: path })
    .catch(unreachable('The file in SPAR_GGUF is not a GGUF model that node-llama-cpp can load.'))
  const context = await model
    .createContext({ sequences: parallel, contextSize: { max: contextTokens }, threads })
    .catch(unreachable('There is not enough memory for the GGUF model; SPAR_GGUF_CONTEXT can be lowered.'))
  const chat = library.resolveChatWrapper(model)
  const slots = createSlots(Array.from({ length: parallel }, () => context.getSequence()))

  return {
    async write(ask, isGone) {
      const { contextText, stopGenerationTriggers } = chat.generateContextState({
        chatHistory: toHistory(ask.messages),
      })
      const prompt = withoutDoubleStart(contextText.tokenize(model.tokenizer), model)
      const room = context.contextSize - prompt.length
      if (room < 1) {
        const message = `The problem with its steps is longer than the ${context.contextSize} tokens that the GGUF model is given.`
        throw new AppError('LLM_REFUSED', message)
      }
      const triggers = stopGenerationTriggers.map(text => text.tokenize(model.tokenizer))
      const ends = new Set(triggers.filter(({ length }) => length === 1).map(([token]) => token!))
      const endTexts = triggers
        .filter(({ length }) => length > 1)
        .map(tokens => model.detokenize(tokens, true))
      const writer = createWriter(model, { prompt, stop: ask.stop, endTexts })
      const most = Math.min(ask.maxTokens, room)
      let completionTokens = 0
      let logprob = 0
      let endedBy: GgufText['endedBy'] = 'length'

      const sequence = await slots.take(prompt)
      try {
        for await (const { token, confidence } of isGone() ? [] : sampleFrom(sequence, prompt, ask)) {
          completionTokens++
          logprob += Math.log(Math.max(confidence ?? 0, Number.MIN_VALUE))
          if (model.isEogToken(token) || ends.has(token)) endedBy = 'end_of_text'
          else endedBy = writer.push(token) ?? 'length'
          if (endedBy !== 'length' || completionTokens >= most || isGone()) break
        }
      } finally {
        slots.give(sequence)
      }
      return {
        text: writer.text(),
        endedBy,
        promptTokens: prompt.length,
        completionTokens,
        meanLogprob: ask.logprobs && completionTokens > 0 ? logprob / completionTokens : null,
      }
    },
    async close() {
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  }
}

/** Tokens that follow `prompt`, without end. */
async function* sampleFrom(
  sequence: LlamaSequence,
  prompt: readonly LlamaToken[],
  { temperature, seed, logprobs }: GgufAsk,
) {
  // The last token must be taken in anew, since the next one is sampled from it.
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false)
  const fresh = prompt.slice(sequence.nextTokenIndex)
  // The distribution as the model has it: search wants its samples as different as the temperature makes them.
  const options = { temperature, topK: 0, topP: 1, seed, yieldEogToken: true } as const
  yield* sequence.evaluateWithMetadata(fresh, { confidence: logprobs }, options)
}

function toHistory(messages: readonly ChatMessage[]): ChatItem[] {
  const items = messages.map(
    ({ role, content }): ChatItem =>
      role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content },
  )
  return messages.at(-1)?.role === 'assistant' ? items : [...items, { type: 'model', response: [] }]
}

/** Some templates write the token that begins a text, and so does the library. */
function withoutDoubleStart(tokens: LlamaToken[], { tokens: { bos } }: LlamaModel): LlamaToken[] {
  return bos !== null && tokens[0] === bos && tokens[1] === bos ? tokens.slice(1) : tokens
}
