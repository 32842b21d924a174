// `kill -9` in the middle of the sandbox day: no message lost, nothing doubled, no follow-up lost.
import { expect, it } from 'vitest';
import { killSandboxDay } from './kill-sandbox-day.ts';

it('leaves after two kills exactly what an undisturbed day leaves', async () => {
  const { undisturbed, killed } = await killSandboxDay(2, 7);
  expect(killed.duplicates).toEqual([]);
  expect(killed).toEqual(undisturbed);
}, 300_000);
