// The command line: `npm run spar -- <command>`. Reads arguments and wires; knows no algorithm.
import { evalCommand } from './cli/eval.ts'
import { importCommand } from './cli/import.ts'
import { readArguments } from './cli/options.ts'
import { trainCommand } from './cli/train.ts'

const USAGE = `npm run spar -- <command>

  train base     the base: vocabulary and language model       --data <dir> --out <dir> [--minutes 25] [--seed 1] [--from <base dir>]
  train critic   a critic on a base                            --data <dir> --base <dir> --out <dir> [--minutes 30] [--seed 1]
                                                               [--lora <rank> [--alpha 2·rank] [--targets q,v]] [--freeze] [--rate] [--batch-tokens]
  import         a base from a pre-trained checkpoint         <dir|file.gguf|file.safetensors> --out <dir> --version <v>
  eval processbench  first-error figures of a critic           --critic <dir> --data <file.jsonl.gz> [--threshold <0..1|best>]
  eval built-in  solver and critic on fresh generated problems --base <dir> --critic <dir> [--problems 200] [--n 8] [--seed 1]

Paths may be gzipped where they end in .gz. The last line of every eval is one JSON object.
`

const { values, positionals } = readArguments(process.argv.slice(2))

const [command, what] = positionals
const command_line = `npm run spar -- ${process.argv.slice(2).join(' ')}`
try {
  if (values.help || command === undefined) process.stdout.write(USAGE)
  else if (command === 'train') await trainCommand(what, values, command_line)
  else if (command === 'import') await importCommand(what, values, command_line)
  else if (command === 'eval') await evalCommand(what, values)
  else throw new Error(`there is no command "${command}"\n\n${USAGE}`)
} catch (error) {
  process.stderr.write(`${process.env['SPAR_DEBUG'] ? (error as Error).stack : (error as Error).message}\n`)
  process.exitCode = 1
}
