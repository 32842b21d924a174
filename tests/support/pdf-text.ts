// What a person reads in a PDF made by Baton: the strings of its content streams, in order.
import { inflateSync } from 'node:zlib';

/** Windows-1252 from 0x80, where it is not Latin-1. */
const UPPER = new TextDecoder('windows-1252');

export function pdfText(pdf: Uint8Array): string {
  const raw = Buffer.from(pdf).toString('latin1');
  const lines: string[] = [];
  for (const [, body = ''] of raw.matchAll(/stream\n([\s\S]*?)\nendstream/g)) {
    for (const [, array = ''] of inflated(body).matchAll(/\[([^\]]*)\] TJ/g)) {
      const bytes = [...array.matchAll(/<([0-9a-f]*)>/g)].map(([, hex = '']) => Buffer.from(hex, 'hex'));
      lines.push(UPPER.decode(Buffer.concat(bytes)));
    }
  }
  return lines.join('\n');
}

function inflated(body: string): string {
  try {
    return inflateSync(Buffer.from(body, 'latin1')).toString('latin1');
  } catch {
    return body;
  }
}
