// Facts with their labels, without those that nothing is known of.
import type { Fact } from './document.ts';

export function facts(texts: Readonly<Record<string, string>>): Fact[] {
  return Object.entries(texts).flatMap(([label, text]) => (text === '' ? [] : [{ label, text }]));
}
