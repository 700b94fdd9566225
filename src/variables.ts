// The names of what the environment can say, each with what it is for and its default. The README's table lists the same; a test keeps both equal.

/** Name -> what it is for. `<NAME>` stands for the upper-case name of an upstream. */
export const VARIABLES = {
  PORT: 'Port to listen on; 8080.',
  HOST: 'Address to listen on; 127.0.0.1. Use 0.0.0.0 to be reached from other machines.',
  SPAR_DATA: 'Folder of the database, of trained critics and of traffic not delivered yet; ./data.',
  SPAR_MODELS: 'Folder of shipped critics and bases, only read; `models` of this installation.',
  SPAR_ADMIN_KEY: 'Key of the admin routes, sent as `Authorization: Bearer …`. Without one they answer 403.',
  SPAR_DEVICE:
    'Where the critic runs: cpu, webgpu, cuda, or several of them, comma-separated, to be tried in that order; auto, which is cuda,cpu.',
  SPAR_THREADS: 'Threads of the critic’s worker; one less than there are cores.',
  SPAR_PRECISION:
    'Matrices of the critic: float32, int8 (where the critic has them and runs on a CPU), or auto (int8 where the CPU has VNNI or is an ARM); float32.',
  SPAR_PREFIX_CACHE_MB:
    'Memory for what the critic computed of problems and steps that may come again, as in a search, for each worker, in MiB; 64, 0 turns it off.',
  SPAR_CRITICS: 'JSON file of further critics: served reward models, chat models, ensembles; none.',
  SPAR_CRITIC: 'Critic for requests that name none: a name from SPAR_CRITICS, or local; local.',
  SPAR_LLM_HOSTS: 'Hosts that a request’s `llm.base_url` may name, comma-separated; none.',
  SPAR_LLM_PRIVATE:
    'Addresses that are not public but that names on SPAR_LLM_HOSTS may lead to, as addresses or CIDR ranges; none.',
  'SPAR_LLM_<NAME>_URL': 'Base URL of the named upstream, e.g. http://127.0.0.1:11434/v1.',
  'SPAR_LLM_<NAME>_MODEL': 'Model to ask there.',
  'SPAR_LLM_<NAME>_KEY': 'Its API key, if it needs one.',
  'SPAR_LLM_<NAME>_CONTINUATION':
    'How it continues a partial answer: auto, continue_final_message, prefix, assistant_prefill or prompted; auto.',
  'SPAR_LLM_<NAME>_STREAM':
    'Which of its calls are streamed: auto (those for one step, once it was seen to write on behind it), on or off; auto.',
  'SPAR_LLM_<NAME>_CONNECT_S': 'Seconds that a new connection to it may take; 10.',
  'SPAR_LLM_<NAME>_FIRST_TOKEN_S': 'Seconds until the first token of a streamed call to it; 30.',
  'SPAR_LLM_<NAME>_TIMEOUT_S': 'Seconds that one call to it may take; 60.',
  'SPAR_LLM_<NAME>_CONCURRENCY': 'Calls to it at the same time, more of them wait; 1000.',
  SPAR_GGUF:
    'GGUF file of a language model to run in this process, as upstream gguf; none. Needs the package node-llama-cpp.',
  SPAR_GGUF_CONTEXT: 'Tokens that a text of it may have, prompt included; 4096.',
  SPAR_GGUF_PARALLEL: 'Texts that it writes at the same time, each with its own context; 8.',
  SPAR_GGUF_LIBRARY: 'Module to run it with, by name or file URL; the installed node-llama-cpp.',
  SPAR_CHAT_UPSTREAM:
    'Upstream that the chat model `spar` stands for; the first named one by the alphabet, else gguf where there is one, else builtin.',
  SPAR_CONSENT:
    'Whose traffic is kept: implied (all but `X-Spar-Log: off`) or asked (only `X-Spar-Log: on`); implied.',
  SPAR_OPTED_OUT:
    'Keys whose traffic is neither kept nor learned from, comma-separated, each as the first 16 hex digits of its SHA-256; none.',
  SPAR_REDACT:
    'What is taken out of traffic before it is kept: email, secret and /regular expressions/, comma-separated; email,secret.',
  SPAR_RETENTION_DAYS: 'Age at which traffic is forgotten; 90.',
  SPAR_RETENTION_RECORDS: 'Records of traffic kept at most; 500000.',
  SPAR_CLIENT_SHARE: 'Largest part of a round’s traffic that one key may be; 0.25.',
  SPAR_SHADOW_MINUTES:
    'How long a candidate that passed the gate scores live critiques without answering; 1. 0 leaves it out.',
  SPAR_SHADOW_SHARE: 'Share of the clients whose critiques it scores then; 0.2.',
  SPAR_CANARY_MINUTES: 'How long it then answers a share of the clients; 1. 0 leaves it out.',
  SPAR_CANARY_SHARE: 'That share; 0.1.',
  SPAR_WATCH_MINUTES:
    'How long it is watched when it serves, and taken back by itself on errors or drift; 60.',
  SPAR_SNEAKY_LLM:
    'Named upstream that plays the sneaky role in retraining rounds beside the built-in edits; none.',
  SPAR_TEACHER_LLM: 'Named upstream that rounds ask which step of a logged solution is wrong; none.',
  SPAR_TEACHER_CRITIC:
    'Critic of `SPAR_CRITICS` that scores logged solutions, from which rounds learn; none.',
  SPAR_SOURCE_WEIGHTS:
    'How far rounds trust sources of labels, from 0 to 1, e.g. agreement=0.5,tree=0.6,teacher=0; learned where not set.',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'OpenTelemetry collector that spans are sent to over HTTP; none.',
  SPAR_LOG_LEVEL: 'debug, info, warn, error or silent; info.',
  REDIS_URL:
    'Redis for traffic, feedback, jobs and the serving pointer, shared by several machines; without it a SQLite file in SPAR_DATA.',
} as const
