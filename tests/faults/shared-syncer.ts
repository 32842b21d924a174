// One of several processes that exchange the resources of one database with one server: pulls and pushes without end, and
// says so on standard output after each round.
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { testRules } from '../support/store-rules.ts';
import { syncOf } from './syncer.ts';

const [url = '', baseUrl = ''] = process.argv.slice(2);
const store = await openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });
const sync = syncOf(store, baseUrl, systemClock());
for (;;) {
  await sync.pullNow();
  await sync.pushNow();
  process.stdout.write('round\n');
}
