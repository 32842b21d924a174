import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    exclude: ['tests/corpus/**', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: ['tests/support/postgres-for-run.ts'],
    projects: [
      { extends: true, test: { name: 'all', include: ['tests/**/*.test.ts'] } },
      {
        // What an app can see of the store, once more on PostgreSQL; the contract runs on both engines by itself.
        extends: true,
        test: {
          name: 'postgres',
          include: [
            'tests/{store,server,conformance,transitions}/**/*.test.ts',
            'tests/property/search-paging.test.ts',
          ],
          // Plans and files are SQLite's own.
          exclude: ['tests/store/search/plan.test.ts', 'tests/store/sqlite.test.ts'],
          env: { BATON_TEST_ENGINE: 'postgres' },
        },
      },
    ],
  },
});
