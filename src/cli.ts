// The command line: `npm run spar -- <command>`. Reads arguments and wires; knows no algorithm.
import { decisionsCommand } from './cli/decisions.ts'
import { evalCommand } from './cli/eval.ts'
import { exportCommand } from './cli/export.ts'
import { fitCommand } from './cli/fit.ts'
import { importCommand } from './cli/import.ts'
import { labCommand } from './cli/lab.ts'
import { readArguments } from './cli/options.ts'
import { plotCommand } from './cli/plot.ts'
import { roundCommand } from './cli/round.ts'
import { trainCommand } from './cli/train.ts'

const USAGE = `npm run spar -- <command>

  train base     the base: vocabulary and language model       --data <dir> --out <dir> [--minutes 25] [--seed 1] [--from <base dir>]
  train critic   a critic on a base                            --data <dir> --base <dir> --out <dir> [--minutes 30] [--seed 1]
                                                               [--lora <rank> [--alpha 2·rank] [--targets q,v]] [--rate] [--batch-tokens]
                                                               [--freeze [--layers <n>] [--read-tokens 1400000] [--states <dir>] [--from <critic dir>]]
                 both: [--device cpu|webgpu|cuda|tfjs] [--accumulate <k>] [--dropout <0..0.9>] [--memory-mb <n>]
                       [--checkpoint <dir> [--every-minutes 5]] [--resume <dir>] [--log <file.jsonl>] [--plot <file.svg>]
  plot           a training log as a picture                   <log.jsonl> --out <file.svg>
  import         a base from a pre-trained checkpoint         <dir|file.gguf|file.safetensors> --out <dir> --version <v>
  export         a critic's weights in the graph of this Spar    <critic dir> [--out <dir>] (in place when left out)
  eval processbench  first-error figures on labelled solutions --data <file>[,<file>…] [--threshold-from <name>] [--threshold <0..1>]
  eval pools     best-of-N figures on sampled solutions        --data <file>
  eval search    those samples through the search's methods   --pool <file> [--only-recorded] (no critic but those in the file)
  eval built-in  solver and critic on fresh generated problems [--base <dir>] [--problems 500] [--n 8]
  eval methods   every search method at equal token budgets    [--llm <upstream>] [--data <file>] [--problems 100] [--budgets 4,8]
                                                               [--methods <name>[,<name>…]] [--max-tokens 512] [--parallel 1]
                 every eval: --critic <dir>, or --url <http://…> [--critic-version <v>] [--batch 64]; [--seed 1]; the first two also
                 [--train <dir>] (hand features as a baseline); all but built-in [--out <dir>] (report.md, report.json, pictures); no --url for methods
  fit ensemble   weights of critics that a service has         --url <http://…> --members <name>[,<name>…] --data <file>[,<file>…]
                                                               [--batch 64] [--seed 1]
  lab traffic    learns outcomes of some problems of a pool over HTTP, orders candidates of the others
                                                               --pool <file> [--sizes 10,30,60,120,200] [--folds 5] [--minutes 4] [--seed 1]
                                                               [--critic <dir>] [--data <dir>] [--base <dir>] [--problems 100] [--n 8] [--threads 2]
  round          a sparring round on a running service, with its progress; needs SPAR_ADMIN_KEY
                                                               [--url http://127.0.0.1:8080] [--minutes 5] [--seed 1] [--resume <job>]
  decisions      checks an export of the decision record       <file.ndjson> [--head <hash noted earlier>]
  lab rounds     spars round after round; errors of real models and frozen opponents after each
                                                               [--rounds 4] [--minutes 15] [--seed 1] [--given 150] [--ablate all|<name>,…] [--llm <upstream>]
                                                               [--critic <dir>] [--data <dir>] [--base <dir>] [--problems 150] [--n 8] [--threads 2]

Paths may be gzipped where they end in .gz. The last line of every eval and lab is one JSON object.
`

const { values, positionals } = readArguments(process.argv.slice(2))

const [command, what] = positionals
const command_line = `npm run spar -- ${process.argv.slice(2).join(' ')}`
try {
  if (values.help || command === undefined) process.stdout.write(USAGE)
  else if (command === 'train') await trainCommand(what, values, command_line)
  else if (command === 'plot') plotCommand(what, values)
  else if (command === 'import') await importCommand(what, values, command_line)
  else if (command === 'export') await exportCommand(what, values)
  else if (command === 'eval') await evalCommand(what, values)
  else if (command === 'fit') await fitCommand(what, values)
  else if (command === 'round') await roundCommand(values)
  else if (command === 'decisions') decisionsCommand(what, values)
  else if (command === 'lab') await labCommand(what, values)
  else throw new Error(`there is no command "${command}"\n\n${USAGE}`)
} catch (error) {
  process.stderr.write(`${process.env['SPAR_DEBUG'] ? (error as Error).stack : (error as Error).message}\n`)
  process.exitCode = 1
}
