// One pull of the benchmark in a process of its own, so that what is resident is that pull's and nobody else's. Prints a
// PhaseRow as JSON. Usage: node phase.ts BASE_URL DATABASE PHASE
import { readFileSync } from 'node:fs';
import { BATON, type Store } from '../../../src/store/store.ts';
import { benchSync, openBenchStore, refuseIdle } from './baton-side.ts';
import type { Phase, PhaseRow } from './phases.ts';

const [baseUrl = '', path = '', named = ''] = process.argv.slice(2);
const phase = named as Phase;
const store = await openBenchStore(path);
let rowsRead = 0;
const query: Store['query'] = store.query.bind(store);
store.query = async (...given) => {
  const rows = await query(...given);
  rowsRead += rows.length;
  return rows;
};
const strategy = phase.startsWith('roster') ? 'roster' : 'search';
// A type that is only pulled brings in all there is.
const sync = benchSync(store, baseUrl, strategy, phase === 'first' ? 'pull' : 'both');
if (phase === 'search') {
  await store.commit(BATON, [], [{ sql: 'UPDATE checkpoint SET high_water = NULL, cursor = NULL', params: [] }]);
}
rowsRead = 0;
const begun = performance.now();
if (phase === 'sweep') await sync.sweep();
else await sync.pullNow();
const seconds = (performance.now() - begun) / 1000;
await refuseIdle(sync);
const memory = { resident: kilobytes('VmRSS'), peak: kilobytes('VmHWM') };
const row: PhaseRow = { phase, links: 0, seconds, rowsRead, ...memory };
const links = Number((await sync.status())[0]?.links);
await sync.stop();
await store.close();
console.log(JSON.stringify({ ...row, links }));
process.exit(0);

function kilobytes(name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(found) * 1024;
}
