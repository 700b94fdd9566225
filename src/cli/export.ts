// `spar export <dir>`: a critic's weights in the graph that this Spar exports. Wires arguments; knows no graph.
import { reexport } from '../train/reexport.ts'
import type { CliValues } from './options.ts'

/** Exports one critic again. @throws Error for a wrong option; what `reexport` throws */
export async function exportCommand(from: string | undefined, values: CliValues): Promise<void> {
  if (from === undefined) throw new Error('say which critic to export: the folder of its artifact')
  const { manifest, items, widest } = await reexport(from, values.out ?? from)
  process.stdout.write(
    `${JSON.stringify({ version: manifest.version, compared: items, widest, int8: manifest.metrics['int8'] })}\n`,
  )
}
