// A process for reindex-kill.test.ts: indexes what is to be indexed in the database given, and prints how many resources
// are left, a line each time it looks.
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { readIndexProgress } from '../../src/store/search/index-progress.ts';
import { openBaton } from '../store/guide/guide-world.ts';

const { store } = await openBaton(process.argv[2] ?? '', systemClock());
const indexing = store.reindex(new AbortController().signal);
for (let remaining = -1; remaining !== 0; await setImmediate()) {
  const [job] = await readIndexProgress(store);
  remaining = job?.remaining ?? 0;
  process.stdout.write(`${remaining}\n`);
}
await indexing;
await store.close();
