import { defineConfig } from 'vitest/config';

/** Tests against real third-party data in ../shared/corpus; they skip themselves, saying so, when it is not there. */
export default defineConfig({
  test: {
    include: ['tests/corpus/**/*.test.ts'],
    globalSetup: ['tests/support/memory-for-run.ts'],
    setupFiles: ['tests/support/property-seed.ts', 'tests/support/temporary-folder.ts'],
    // As in vitest.config.ts.
    maxWorkers: '100%',
    isolate: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
