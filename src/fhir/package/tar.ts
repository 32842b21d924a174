// Reads the files of a tar archive from memory: ustar with the pax and GNU long names that npm and FHIR packages use.
// Nothing is ever written to a disk; names that try to leave the archive are refused all the same.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
import { Fault } from '../../fault.ts';

export interface TarFile {
  /** Path with `/` between its parts, e.g. `package/package.json`. */
  readonly name: string;
  readonly content: Buffer;
}

const BLOCK = 512;
/** More files than any published package has. */
const MAX_FILES = 50_000;

/**
 * The regular files, in order; directories are skipped.
 * @throws Fault unprocessable when it is cut off, damaged, has links or devices, or names a path outside of itself
 */
export function* tarFiles(tar: Buffer): Generator<TarFile> {
  let files = 0;
  let longName: string | undefined;
  for (let at = 0; ; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw damaged('it is cut off');
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const size = sizeOf(header);
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (content.length < size) throw damaged('it is cut off');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === 'x') longName = paxPath(content) ?? longName;
    else if (kind === 'L') longName = text(content);
    else if (kind === 'g' || kind === '5') longName = undefined;
    else if (kind === '0' || kind === '\0') {
      if (++files > MAX_FILES) throw damaged(`it has more than ${MAX_FILES} files`);
      yield { name: checkedName(longName ?? nameOf(header)), content };
      longName = undefined;
    } else throw damaged('it has links or devices, which a package may not have');
  }
}

/** The sum of all bytes, the eight of the sum itself counted as spaces. */
function checkSum(header: Buffer): void {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  if (sum !== octal(header.subarray(148, 156))) throw damaged('a header does not have the checksum it says');
}

function sizeOf(header: Buffer): number {
  const size = octal(header.subarray(124, 136));
  if (!Number.isSafeInteger(size)) throw damaged('a file has no readable size');
  return size;
}

/** NaN for what is not an octal number, binary sizes of 8 GiB and more included. */
function octal(field: Buffer): number {
  const digits = text(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function nameOf(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  const prefix = text(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `path` of pax records, each `LENGTH KEY=VALUE\n` with a length in bytes. */
function paxPath(records: Buffer): string | undefined {
  for (let at = 0; at < records.length; ) {
    const length = Number.parseInt(records.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) throw damaged('an extended header cannot be read');
    const [, key, value] = /^\d+ ([^=]+)=([\s\S]*)\n$/.exec(records.toString('utf8', at, at + length)) ?? [];
    if (key === 'path') return value;
    at += length;
  }
  return undefined;
}

function checkedName(name: string): string {
  const parts = name.replace(/^\.\//, '').split('/');
  const leaves = parts.some((part) => part === '..' || part === '') || name.includes('\\') || /^[A-Za-z]:/.test(name);
  if (leaves) throw damaged('it names a path outside of itself');
  return parts.join('/');
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function damaged(why: string): Fault {
  return new Fault('unprocessable', `The archive cannot be read: ${why}.`, { code: 'structure' });
}
