// Which headers of an exchange are kept in the message log: those that explain what happened. A list of what is kept, not of
// what is left out, so that no credential gets in by a name that nobody thought of. docs/sync-spec.md#I22

const KEPT = new Set([
  'if-match',
  'if-none-exist',
  'prefer',
  'x-request-id',
  'x-correlation-id',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'location',
  'retry-after',
]);
const MOST = 1_000;

export function keptHeaders(headers: Iterable<readonly [string, string]>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of headers)
    if (KEPT.has(name.toLowerCase())) kept[name.toLowerCase()] = value.slice(0, MOST);
  return kept;
}
