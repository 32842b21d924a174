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

/** Tests that leave nothing behind in their process, so that the next ones find the definitions read already. */
const TOGETHER = [
  'tests/{access,audit,care,conformance,contract,fhir,intake,registry,remote,sandbox,scripts,server,store,subscriptions,transitions,notify}/**/*.test.ts',
];

export default defineConfig({
  test: {
    exclude: ['tests/corpus/**', 'tests/browser/**', 'node_modules/**'],
    // Half of them by default; what a test file costs is mostly reading definitions, which no two share.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['tests/support/postgres-for-run.ts'],
    setupFiles: ['tests/support/property-seed.ts'],
    projects: [
      { extends: true, test: { name: 'all', include: ['tests/**/*.test.ts'], exclude: TOGETHER } },
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
      // What depends on dates, once more where they are others.
      zone('new-york', 'America/New_York'),
      zone('kathmandu', 'Asia/Kathmandu'),
      {
        // What depends on the engine, once more on PostgreSQL; the contract runs on both engines by itself. All tests run
        // there with BATON_TEST_ENGINE=postgres and `--project all --project together`.
        extends: true,
        test: {
          name: 'postgres',
          isolate: false,
          include: [
            'tests/{store,conformance}/**/*.test.ts',
            'tests/server/{batch,concurrency,crud,everything,search,search-features}.test.ts',
            'tests/server/access/*.test.ts',
            'tests/property/{consents,search-paging}.test.ts',
            'tests/subscriptions/numbering.test.ts',
            'tests/server/oauth/{backend-services,ehr-launch,tokens}.test.ts',
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
