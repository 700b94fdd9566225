// The part of node-llama-cpp that a GGUF model needs, and how it is found. An optional peer: nothing here is installed by `npm ci`.
import { AppError } from '../errors.ts'

/** An opaque token id of the model. */
export type LlamaToken = number

interface LlamaText {
  tokenize(tokenizer: unknown): LlamaToken[]
}

export type ChatItem =
  | { readonly type: 'system' | 'user'; readonly text: string }
  /** What the model said so far; it goes on from there. Empty: it has said nothing. */
  | { readonly type: 'model'; readonly response: readonly string[] }

export interface LlamaSequence {
  /** How many tokens its state holds. */
  readonly nextTokenIndex: number
  compareContextTokens(tokens: readonly LlamaToken[]): { readonly firstDifferentIndex: number }
  /** Drops what does not agree with `tokens`; evaluates nothing. */
  adaptStateToTokens(tokens: readonly LlamaToken[], allowShift: false): Promise<void>
  /** Takes the tokens in and samples until it is left; `confidence` is P(token) at that temperature. */
  evaluateWithMetadata(
    tokens: readonly LlamaToken[],
    metadata: { readonly confidence: boolean },
    options: {
      readonly temperature: number
      readonly topK: number
      readonly topP: number
      readonly seed: number
      readonly yieldEogToken: true
    },
  ): AsyncGenerator<{ readonly token: LlamaToken; readonly confidence?: number }>
}

interface LlamaContext {
  /** Tokens each sequence can hold. */
  readonly contextSize: number
  getSequence(): LlamaSequence
  dispose(): Promise<void>
}

export interface LlamaModel {
  readonly tokenizer: unknown
  readonly tokens: { readonly bos: LlamaToken | null }
  isEogToken(token: LlamaToken): boolean
  /** @param lastTokens what came before, for tokenizers that write the space before a word */
  detokenize(
    tokens: readonly LlamaToken[],
    specialTokens: boolean,
    lastTokens?: readonly LlamaToken[],
  ): string
  createContext(options: {
    readonly sequences: number
    readonly contextSize: { readonly max: number }
    readonly threads: number
  }): Promise<LlamaContext>
  dispose(): Promise<void>
}

interface Llama {
  loadModel(options: { readonly modelPath: string }): Promise<LlamaModel>
  dispose(): Promise<void>
}

export interface LlamaLibrary {
  getLlama(options: {
    /** Never compiles: a binary is there or it is not. */
    readonly build: 'never'
    readonly skipDownload: true
    readonly gpu: 'auto' | false
    readonly maxThreads: number
    readonly logLevel: 'error'
    readonly logger: () => void
  }): Promise<Llama>
  resolveChatWrapper(model: LlamaModel): {
    generateContextState(options: { readonly chatHistory: readonly ChatItem[] }): {
      readonly contextText: LlamaText
      readonly stopGenerationTriggers: readonly LlamaText[]
    }
  }
}

/** What is loaded when no other module is named. */
const INSTALLED = 'node-llama-cpp'

/**
 * Loads the library.
 * @param module a module name or file URL with its interface; the installed package when left out
 * @throws {AppError} LLM_UNREACHABLE when it is not there or is something else
 */
export async function loadLlamaLibrary(module: string = INSTALLED): Promise<LlamaLibrary> {
  let library: Partial<LlamaLibrary>
  try {
    library = await import(module)
  } catch (cause) {
    const message =
      module === INSTALLED
        ? 'The upstream "gguf" needs the package node-llama-cpp, which is not installed here.'
        : 'The module in SPAR_GGUF_LIBRARY cannot be loaded.'
    throw new AppError('LLM_UNREACHABLE', message, { cause })
  }
  if (typeof library.getLlama !== 'function' || typeof library.resolveChatWrapper !== 'function') {
    throw new AppError('LLM_UNREACHABLE', 'The module in SPAR_GGUF_LIBRARY is not node-llama-cpp, version 3.')
  }
  return library as LlamaLibrary
}
