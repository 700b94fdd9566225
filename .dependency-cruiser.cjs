// The import rule (docs/decisions/0001): main -> everything; server and train -> leaves, never each other;
// leaves -> only themselves plus errors, log, metrics. Each heavy package has one home.
const LEAVES = ['search', 'critic', 'llm', 'answer', 'store', 'remote']
/** Leaves that build on others; those never lead back. */
const MORE = { critic: '^src/answer/', remote: '^src/(critic|answer|llm)/' }
const SHARED = '^src/(errors|log|metrics|tracing)\\.ts$'

const leafRule = leaf => ({
  name: `leaf-${leaf}`,
  comment: `src/${leaf} imports only itself and errors, log, metrics`,
  severity: 'error',
  from: { path: `^src/${leaf}/` },
  to: {
    path: '^(src|test|bench)/',
    pathNot: [`^src/${leaf}/`, SHARED, MORE[leaf] ?? '^$'],
  },
})

const homeRule = (name, pkg, home) => ({
  name: `home-${name}`,
  comment: `${pkg} is imported only in ${home}`,
  severity: 'error',
  from: { path: '^src/', pathNot: home },
  to: { path: `node_modules/${pkg}` },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...LEAVES.map(leafRule),
    {
      name: 'search-is-pure',
      comment: 'src/search imports no npm package and no node: module',
      severity: 'error',
      from: { path: '^src/search/' },
      to: { pathNot: '^src/search/' },
    },
    {
      name: 'rollout-stays-low',
      comment: 'src/rollout imports critic and store only',
      severity: 'error',
      from: { path: '^src/rollout/' },
      to: { path: '^src/', pathNot: ['^src/(rollout|critic|store)/', SHARED] },
    },
    {
      name: 'server-not-train',
      severity: 'error',
      from: { path: '^src/server/' },
      to: { path: '^src/(train|main|cli|config)' },
    },
    {
      name: 'train-not-server',
      severity: 'error',
      from: { path: '^src/train/' },
      to: { path: '^src/(server|main|cli|config)' },
    },
    {
      name: 'shared-is-low',
      severity: 'error',
      from: { path: SHARED },
      to: { path: '^src/', pathNot: SHARED },
    },
    { name: 'src-not-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
    homeRule('express', 'express/', '^src/server/'),
    homeRule('ajv', 'ajv', '^src/server/'),
    homeRule('tfjs', '@tensorflow/', '^src/train/'),
    homeRule('protobufjs', 'protobufjs/', '^src/train/'),
    homeRule('onnxruntime', 'onnxruntime-', '^src/(critic|train|llm)/'),
    homeRule('tokenizers', '@huggingface/tokenizers/', '^src/critic/'),
    homeRule('nerdamer', 'nerdamer-prime/', '^src/answer/symbolic'),
    homeRule('croner', 'croner/', '^src/schedule\\.ts$'),
    homeRule('ioredis', 'ioredis/', '^src/store/'),
    homeRule('pino', 'pino/', '^src/log\\.ts$'),
    homeRule('opentelemetry', '@opentelemetry/', '^src/(tracing|telemetry)\\.ts$'),
    homeRule('prom-client', 'prom-client/', '^src/metrics\\.ts$'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
