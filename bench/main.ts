// One entry point for every benchmark: `npm run -s bench -- <name> [options]`. The last line of output is one JSON object.
import { existsSync, readdirSync } from 'node:fs'

/** What bench/<name>.ts exports: runs, tells people on stderr how it goes, and returns its figures. */
export interface Benchmark {
  run(args: readonly string[]): Promise<{ readonly bench: string }>
}

const names = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.ts') && file !== 'main.ts')
  .map(file => file.slice(0, -'.ts'.length))

const [name, ...args] = process.argv.slice(2)
if (name === undefined || !names.includes(name) || !existsSync(`${import.meta.dirname}/${name}.ts`)) {
  process.stderr.write(`npm run -s bench -- <name>, where <name> is one of: ${names.join(', ')}\n`)
  process.exitCode = 1
} else {
  const benchmark = (await import(`./${name}.ts`)) as Benchmark
  process.stdout.write(`${JSON.stringify(await benchmark.run(args))}\n`)
}
