// Messages of fixtures/hl7v2 as a hospital would send them, and ways to change one field of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Facility } from '../../src/intake/map/reading.ts';

export const FACILITIES: readonly Facility[] = [
  { code: 'HARBOR', name: 'Harbor General Hospital', zone: 'America/New_York' },
  { code: '*', name: 'Any other', zone: 'America/Chicago' },
];

/** The message with CR line ends; the files have LF so that people can read them. */
export function fixture(name: string): string {
  const path = join(import.meta.dirname, '../../fixtures/hl7v2', `${name}.hl7`);
  return `${readFileSync(path, 'utf8').trim().replaceAll('\n', '\r')}\r`;
}

/** The message with fields replaced: `{ 'PV1-36': '03', 'MSH-10': 'X1' }`; only the first segment of the name. */
export function edited(message: string, fields: Record<string, string>): string {
  const lines = message.split('\r');
  for (const [name, value] of Object.entries(fields)) {
    const [segment = '', number = ''] = name.split('-');
    const at = lines.findIndex((line) => line.startsWith(segment));
    const parts = (lines[at] ?? segment).split('|');
    const index = segment === 'MSH' ? Number(number) - 1 : Number(number);
    while (parts.length <= index) parts.push('');
    parts[index] = value;
    lines[at < 0 ? lines.length - 1 : at] = parts.join('|');
  }
  return lines.join('\r');
}

/** The message without the segments of that name. */
export function without(message: string, segment: string): string {
  return message
    .split('\r')
    .filter((line) => !line.startsWith(segment))
    .join('\r');
}

/** Fields of a segment of an acknowledgement; MSH-1 counts. */
export function fieldsOf(ack: string, segment: string): string[] {
  const line = ack.split('\r').find((one) => one.startsWith(segment)) ?? '';
  const parts = line.split('|');
  return segment === 'MSH' ? ['MSH', '|', ...parts.slice(1)] : parts;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
