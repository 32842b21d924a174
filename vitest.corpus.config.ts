import { defineConfig } from 'vitest/config';

/** Tests against real third-party data in ../shared/corpus; they skip themselves, saying so, when it is not there. */
export default defineConfig({
  test: {
    include: ['tests/corpus/**/*.test.ts'],
    setupFiles: ['tests/support/property-seed.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
