// Who may read the environment and the time, and who may call out. Import rules are npm run layers. docs/sync-spec.md#I27
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Comments tell of what is not done. */
const withoutComments = (source: string) =>
  source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');

function filesWith(pattern: RegExp): string[] {
  const files = globSync('src/**/*.ts', { exclude: ['src/server/oauth/pages/**'] });
  return files.filter((file) => pattern.test(withoutComments(readFileSync(file, 'utf8')))).sort();
}

test('only the configuration reads the environment', () => {
  expect(filesWith(/\bprocess\.env\b/)).toEqual(['src/config.ts']);
});

test('only the clock reads the time', () => {
  // A Date made of a moment, for a library that knows no Temporal, reads nothing.
  expect(filesWith(/Temporal\.Now|Date\.now\(|\bnew Date\b(?!\([^)\s])|process\.hrtime/)).toEqual(['src/clock.ts']);
});

test('only these measure how long something took', () => {
  expect(filesWith(/performance\.now/)).toEqual(STOPWATCHES);
});

test('only these call fetch', () => {
  expect(filesWith(/(?<![\w])(?:globalThis\.)?fetch\(/)).toEqual(CALLERS);
});

/** Rate limits, waiting for a lost answer and pauses of background work: never part of a result. */
const STOPWATCHES = [
  'src/access/asker.ts',
  'src/audit/provenance-writer.ts',
  'src/intake/apply-accepted.ts',
  'src/intake/give-way.ts',
  'src/server/rate-limits.ts',
  'src/store/let-go-first.ts',
  'src/store/postgres-writer.ts',
  'src/store/search/keep-indexed.ts',
  'src/store/search/reindex.ts',
];

/** Other issuers, the package registry and webhooks of the configuration, beside the servers of connections. */
const CALLERS = [
  'src/access/issuer-http.ts',
  'src/notify/post.ts',
  'src/remote/client.ts',
  'src/remote/package-registry.ts',
];
