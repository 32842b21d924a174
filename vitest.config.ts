import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    exclude: ['tests/corpus/**', 'node_modules/**'],
    testTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'all', include: ['tests/**/*.test.ts'] } },
      {
        // The tests of search once more, on PostgreSQL. Plans are asked of SQLite only.
        extends: true,
        test: {
          name: 'search on PostgreSQL',
          include: ['tests/store/search/*.test.ts'],
          exclude: ['tests/store/search/plan.test.ts'],
          env: { BATON_TEST_ENGINE: 'postgres' },
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
