// `kill -9` while stored resources are being indexed: what was done stays done, and the rest is done afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Goal } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { readIndexProgress } from '../../src/store/search/index-progress.ts';
import { openGuideWorld } from '../store/guide/guide-world.ts';
import { searchParameter } from '../support/guide-artefacts.ts';

const SCRIPT = join(import.meta.dirname, 'reindexer.ts');
const COUNT = 900;

const goal = (i: number): Goal => ({
  resourceType: 'Goal',
  id: `g${i}`,
  lifecycleStatus: 'active',
  description: { coding: [{ code: 'walk' }] },
  subject: { reference: 'Patient/p' },
});

/** Runs until fewer than `limit` resources are left, then kills it. */
async function indexUntil(url: string, limit: number): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ended = once(lines, 'close');
  lines.on('line', (line) => {
    if (Number(line) < limit) child.kill('SIGKILL');
  });
  await ended;
}

test('indexing goes on where it was killed, and nothing is searched by before it is complete', async () => {
  const world = await openGuideWorld();
  try {
    await world.put(...Array.from({ length: COUNT }, (_, i) => goal(i)));
    await world.add({ resources: [searchParameter()] });
    await world.temp.store.close();
    for (const limit of [800, 400]) {
      await indexUntil(world.url, limit);
      const after = await world.another();
      const [progress] = await readIndexProgress(after.store);
      expect(progress?.remaining).toBeGreaterThan(0);
      expect(progress?.remaining).toBeLessThan(limit);
      await expect(after.found('Goal?description=walk')).rejects.toMatchObject({ kind: 'unavailable' });
      await after.store.close();
    }
    const last = await world.another();
    await last.store.reindex(new AbortController().signal);
    expect(await last.found('Goal?description=walk&_count=1000')).toHaveLength(COUNT);
  } finally {
    await world.cleanup();
  }
});
