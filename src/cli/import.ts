// `spar import <dir|file>`: a pre-trained checkpoint becomes a base. Wires arguments; knows no format.
import { importBase } from '../train/import/import-base.ts'
import { type CliValues, required } from './options.ts'

/** Imports one checkpoint. @throws Error for a wrong option, or naming what is wrong with the checkpoint. */
export async function importCommand(
  from: string | undefined,
  values: CliValues,
  command: string,
): Promise<void> {
  if (from === undefined) throw new Error('say what to import: a folder, a .gguf or a .safetensors file')
  const manifest = await importBase({
    from,
    out: required(values.out, 'out'),
    version: values.version,
    command,
    createdAt: new Date().toISOString(),
    print: process.stdout,
  })
  process.stdout.write(
    `${JSON.stringify({ version: manifest.version, kind: manifest.kind, data_hash: manifest.data_hash, model: manifest.model, metrics: manifest.metrics })}\n`,
  )
}
