// One of several processes that look after the follow-ups of one database: ticks without end, a few acts at a time, and says
// so on standard output after each tick.
import { pino } from 'pino';
import { movableClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { createTransitions } from '../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../care/artifacts.ts';
import { testRules } from '../support/store-rules.ts';

const [url = '', start = ''] = process.argv.slice(2);
const rules = testRules();
const log = pino({ level: 'silent' });
const clock = movableClock(Temporal.Instant.from(start));
const store = await openStore({ url, clock, log, ...rules });
const transitions = createTransitions({
  store,
  clock,
  facilities: [{ code: '*', name: 'Any', zone: 'America/New_York', calendar: 'us-federal' }],
  calendars,
  artifacts,
  riskMethods,
  parse: (query) => rules.searchEngine.parse(query),
  log,
  mostPerSweep: 7,
});
for (;;) {
  // That another process has the lease, or was faster with an entry, is no failure: one would end this process.
  await transitions.tick();
  process.stdout.write('tick\n');
}
