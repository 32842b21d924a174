// A year of admissions, discharges and follow-ups with everything that goes wrong, compared with what should have happened.
// By hand: npm run soak:year -- --patients 5000 --stays 20000 --seed 1 [--postgres] [--processes 2] [--days 365] [--mess 1] [--slot 15] [--keep FOLDER]
// kill -TERM ends the year early and judges what was lived. Judged again, without being lived again: npm run soak:year -- --judge FOLDER
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { testRules } from '../support/store-rules.ts';
import { drive } from '../transitions/year/drive.ts';
import { fastDatabase } from '../transitions/year/fast-folder.ts';
import { judgeYear, type YearReport } from '../transitions/year/judge-year.ts';
import { entriesOf, keepYear, readYear } from '../transitions/year/kept-year.ts';
import { ownProcess } from '../transitions/year/nodes.ts';
import { outagesOf } from '../transitions/year/outages.ts';
import { writeStory } from '../transitions/year/write-story.ts';
import { createDatabase } from './postgres-processes.ts';

const { values } = parseArgs({
  options: {
    patients: { type: 'string', default: '5000' },
    stays: { type: 'string', default: '20000' },
    days: { type: 'string', default: '365' },
    seed: { type: 'string', default: '1' },
    /** How many times as often as usual something goes wrong. */
    mess: { type: 'string', default: '1' },
    kills: { type: 'string', default: '40' },
    postgres: { type: 'boolean', default: false },
    processes: { type: 'string', default: '' },
    /** Minutes that pass at a time. */
    slot: { type: 'string', default: '15' },
    /** Patients whose story is printed when something is wrong with them. */
    show: { type: 'string', default: '3' },
    /** Ticks only when something is to be done, as far as Baton knows. */
    skip: { type: 'boolean', default: false },
    /** Keeps what happened in this folder. */
    keep: { type: 'string' },
    /** Judges what was kept in this folder, and lives nothing. */
    judge: { type: 'string' },
  },
});
const [patients, stays, days, seed, kills] = [
  values.patients,
  values.stays,
  values.days,
  values.seed,
  values.kills,
].map(Number) as [number, number, number, number, number];
const processes = Number(values.processes || (values.postgres ? 2 : 1));
if (processes > 1 && !values.postgres) throw new Error('Several processes need --postgres.');
const slot = Number(values.slot) * 60;
if (!(slot > 0)) throw new Error('--slot takes minutes.');
const begun = performance.now();
const say = (line: string) => console.log(`${Math.round((performance.now() - begun) / 1000)} s: ${line}`);

if (values.judge) {
  const { entries, ...lived } = await readYear(values.judge);
  tell(await judgeYear(lived, entries));
  process.exit();
}
const place = await (values.postgres ? onPostgres() : fastDatabase());
try {
  const story = writeStory({ seed, patients, stays, days, mess: Number(values.mess) });
  say(`${story.visits.length} visits, ${story.tellings.length} tellings`);
  const nodes = await Promise.all(Array.from({ length: processes }, () => ownProcess(place.url)));
  const log = pino({ level: 'silent' });
  // Ends the year there and then; what was lived until then is judged.
  const cut = new AbortController();
  process.once('SIGTERM', () => cut.abort());
  const isCut = () => cut.signal.aborted;
  const record = await drive({
    story,
    nodes,
    slot,
    everySlot: !values.skip,
    kills,
    outages: outagesOf(story),
    say,
    isCut,
  });
  for (const node of nodes) await node.close();
  say('reading what happened');
  const store = await openStore({ url: place.url, clock: systemClock(), log, ...testRules() });
  const lived = { people: story.people, record };
  if (values.keep) {
    await keepYear(values.keep, lived, entriesOf(store));
    say(`kept in ${values.keep}`);
  }
  tell(await judgeYear(lived, entriesOf(store)));
} finally {
  await place.remove();
}
process.exit();

function tell({ damage, story: storyOf, ...counts }: YearReport): void {
  for (const [patient, lines] of [...damage].slice(0, Number(values.show))) {
    console.log(`\n${patient}\n${[...storyOf(patient), ...lines].map((line) => `  ${line}`).join('\n')}`);
  }
  for (const [patient, lines] of [...damage].slice(Number(values.show), 200)) console.log(`${patient}: ${lines[0]}`);
  say(JSON.stringify({ ...counts, wrong: damage.size }));
  if (damage.size === 0) return;
  console.log(`again: npm run soak:year -- ${process.argv.slice(2).join(' ')}`);
  process.exitCode = 1;
}

async function onPostgres() {
  const server = await startPostgres({
    socket: true,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      // What a day reads fits into it, also in December.
      shared_buffers: '3GB',
      // Nobody copies this log, and nothing of it outlives the run.
      wal_level: 'minimal',
      max_wal_senders: '0',
      max_wal_size: '8GB',
      jit: 'off',
      // A day passes in seconds: statistics that come a minute after the rows are those of last week.
      autovacuum_naptime: '10s',
    },
  });
  return { url: await createDatabase(server), remove: () => server.stop() };
}
