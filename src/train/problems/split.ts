// Which problems may be trained on: decided by the text alone, so that every run and every machine agrees.
import { hashText } from '../rng.ts'

/** `heldout` for one text in ten; training must skip those, fresh evaluation must use only those. */
export function splitOf(problemText: string): 'train' | 'heldout' {
  return hashText(problemText, 0x5eed) % 10 === 0 ? 'heldout' : 'train'
}
