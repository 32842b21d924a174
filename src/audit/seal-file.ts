// audit-seals.jsonl in the data folder: every seal once more, outside of the database. Lines are appended and never changed.
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface FiledSeal {
  readonly number: number;
  readonly jws: string;
}

/** More than a line is long. */
const TAIL = 16_384;

export const sealFile = (dataDir: string) => join(dataDir, 'audit-seals.jsonl');

/** The lines from the oldest; undefined stands for a line that is no seal. Nothing when there is no file. */
export async function* filedSeals(path: string): AsyncGenerator<FiledSeal | undefined> {
  if (!(await exists(path))) return;
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (line !== '') yield parseLine(line);
}

/**
 * Appends the seals, on disk when it resolves. What a crash has left of a line is taken away first.
 */
export async function fileSeals(path: string, seals: readonly FiledSeal[]): Promise<void> {
  if (seals.length === 0) return;
  const file = await open(path, 'a+', 0o600);
  try {
    const { tail, start } = await tailOf(file);
    const end = tail.lastIndexOf('\n') + 1;
    if (end < tail.length) await file.truncate(start + end);
    await file.appendFile(seals.map((seal) => `${JSON.stringify(seal)}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The newest seal of the file; undefined when there is none. */
export async function lastFiled(path: string): Promise<FiledSeal | undefined> {
  if (!(await exists(path))) return undefined;
  const file = await open(path, 'r');
  try {
    const { tail } = await tailOf(file);
    const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
    const line = whole.split('\n').findLast((each) => each !== '');
    return line === undefined ? undefined : parseLine(line);
  } finally {
    await file.close();
  }
}

async function tailOf(file: Awaited<ReturnType<typeof open>>): Promise<{ tail: string; start: number }> {
  const { size } = await file.stat();
  const start = Math.max(0, size - TAIL);
  const buffer = Buffer.alloc(size - start);
  await file.read(buffer, 0, buffer.length, start);
  return { tail: buffer.toString('latin1'), start };
}

function parseLine(line: string): FiledSeal | undefined {
  try {
    const { number, jws } = JSON.parse(line) as Partial<FiledSeal>;
    return typeof number === 'number' && typeof jws === 'string' ? { number, jws } : undefined;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
