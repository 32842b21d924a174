// Where a page of the timeline ended in each of its sources, as one opaque text.
import { Fault } from '../../fault.ts';

export interface Position {
  /** Cursor of the chunk; absent for the first. */
  readonly after?: string;
  /** Entries of the chunk that were shown. */
  readonly taken: number;
  readonly ended: boolean;
}

type Row = readonly [name: string, taken: number, after?: string];

/** Sources that have ended say so by a negative number. */
export function writePositions(positions: ReadonlyMap<string, Position>): string {
  const rows = [...positions].map(([name, { after, taken, ended }]): Row => {
    if (ended) return [name, -1];
    return after === undefined ? [name, taken] : [name, taken, after];
  });
  return Buffer.from(JSON.stringify(rows)).toString('base64url');
}

/** @throws Fault invalid */
export function readPositions(text: string): Map<string, Position> {
  try {
    const rows = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
    if (!Array.isArray(rows) || !rows.every(isRow)) throw new Error('not rows');
    return new Map(
      rows.map(([name, taken, after]) => [
        name,
        { ...(after === undefined ? {} : { after }), taken: Math.max(0, taken), ended: taken < 0 },
      ]),
    );
  } catch (cause) {
    throw new Fault('invalid', 'after is `next` of an earlier page.', { expression: 'after', code: 'value', cause });
  }
}

function isRow(value: unknown): value is Row {
  if (!Array.isArray(value)) return false;
  const [name, taken, after] = value;
  return typeof name === 'string' && Number.isSafeInteger(taken) && (after === undefined || typeof after === 'string');
}
