import { defineConfig } from 'vitest/config';

// Real browsers are slow to start and are not everywhere: `npm run test:browser` runs these, `npm test` does not.
export default defineConfig({
  test: { include: ['tests/browser/*.browser.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
