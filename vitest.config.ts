import { defineConfig } from 'vitest/config';

function zone(name: string, TZ: string) {
  const include = [
    'tests/zones.test.ts',
    'tests/care/{business-calendar,deadline,discharge}.test.ts',
    'tests/intake/timestamp.test.ts',
    'tests/sync/parts.test.ts',
    'tests/transitions/{sweep,domain-cases}.test.ts',
    'tests/transitions/year/days.test.ts',
  ];
  return { extends: true, test: { name, include, env: { TZ } } } as const;
}

export default defineConfig({
  test: {
    exclude: ['tests/corpus/**', 'tests/browser/**', 'node_modules/**'],
    // One less by default.
    maxWorkers: '100%',
    // Tests leave nothing behind in their process, so that the next file finds modules loaded and definitions read already;
    // that would be three seconds of each.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['tests/support/memory-for-run.ts', 'tests/support/postgres-for-run.ts'],
    setupFiles: [
      'tests/support/property-seed.ts',
      'tests/support/temporary-folder.ts',
      'tests/support/compiled-modules.ts',
    ],
    projects: [
      { extends: true, test: { name: 'all', include: ['tests/**/*.test.ts'] } },
      // What depends on dates, once more where they are others.
      zone('new-york', 'America/New_York'),
      zone('kathmandu', 'Asia/Kathmandu'),
      {
        // What depends on the engine, once more on PostgreSQL; the contract runs on both engines by itself. All tests run
        // there with BATON_TEST_ENGINE=postgres and `--project all`.
        extends: true,
        test: {
          name: 'postgres',
          include: [
            'tests/{store,conformance}/**/*.test.ts',
            'tests/server/{batch,concurrency,crud,everything,search,search-features}.test.ts',
            'tests/server/access/{consent,narrowed-writes,own-reach,past-versions,roles,team-periods}.test.ts',
            'tests/property/{consents,search-paging}.test.ts',
            'tests/subscriptions/numbering.test.ts',
            'tests/server/oauth/{backend-services,tokens}.test.ts',
          ],
          // Plans and files are SQLite's own.
          exclude: [
            'tests/store/{sqlite,postgres,migrate,instant}.test.ts',
            'tests/store/search/plan.test.ts',
            // What is declared and how answers are worded is no matter of the engine.
            'tests/conformance/{capability-honesty,http-44-*}.test.ts',
          ],
          env: { BATON_TEST_ENGINE: 'postgres' },
        },
      },
    ],
  },
});
