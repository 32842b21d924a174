// The list of files of a finished export. Pure; what it says comes from the server and is believed in nothing but names.
// https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';

export interface ManifestFile {
  /** A resource type; OperationOutcome for what the server could not export. */
  readonly type: string;
  readonly url: string;
}

export interface Manifest {
  /** The remote's instant: everything before it is in the files. */
  readonly transactionTime: string;
  readonly requiresAccessToken: boolean;
  readonly files: readonly ManifestFile[];
}

const MOST_FILES = 10_000;
const LONGEST_URL = 8_192;

/** @returns a sentence when it cannot be used */
export function readManifest(text: string, base: string): Manifest | string {
  const value = parse(text);
  if (!value) return 'The list of files of the export is not JSON.';
  const transactionTime = instantOf(value.transactionTime);
  if (transactionTime === undefined) return 'The list of files of the export does not say of which moment it is.';
  // Version 4 of the guide calls the errors outcome.
  const lists = [value.output, value.error ?? value.outcome].map((list) => filesOf(list, base));
  const files = lists.flatMap((list) => list ?? []);
  if (!lists[0] || !lists[1]) return 'The list of files of the export has an entry that is no file.';
  if (files.length > MOST_FILES) return `The export has more than ${MOST_FILES} files.`;
  if (Array.isArray(value.link) && value.link.length > 0) {
    return 'The list of files of the export goes on at another address, which Baton does not follow.';
  }
  return { transactionTime, requiresAccessToken: value.requiresAccessToken === true, files };
}

function filesOf(list: Json | undefined, base: string): ManifestFile[] | undefined {
  if (list === undefined) return [];
  if (!Array.isArray(list) || list.length > MOST_FILES) return undefined;
  const files: ManifestFile[] = [];
  for (const item of list) {
    if (!isJsonObject(item) || typeof item.type !== 'string' || typeof item.url !== 'string') return undefined;
    const url = URL.parse(item.url, `${base}/`);
    if (!url || item.url.length > LONGEST_URL || !/^[A-Z][A-Za-z]{1,63}$/.test(item.type)) return undefined;
    files.push({ type: item.type, url: url.href });
  }
  return files;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function instantOf(value: Json | undefined): string | undefined {
  try {
    return typeof value === 'string' ? Temporal.Instant.from(value).toString() : undefined;
  } catch {
    return undefined;
  }
}
