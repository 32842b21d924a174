// The year in an hour, in small: a few patients, every kind of trouble but kill -9, compared with what should have happened.
// In full size by hand: npm run soak:year. docs/sync-spec.md#I24 docs/sync-spec.md#I25
import { pino } from 'pino';
import { beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { testRules } from '../../support/store-rules.ts';
import { BREAKINGS } from './broken-batons.ts';
import { drive, type Record } from './drive.ts';
import { fastDatabase } from './fast-folder.ts';
import { judgeYear } from './judge-year.ts';
import { type Entry, entriesOf } from './kept-year.ts';
import { inProcess } from './nodes.ts';
import { outagesOf } from './outages.ts';
import { writeStory } from './write-story.ts';

const story = writeStory({ seed: 7, patients: 6, stays: 18, days: 365 });
const { people } = story;
let record: Record;
let entries: Entry[];

beforeAll(async () => {
  const { url, remove } = await fastDatabase();
  try {
    const node = await inProcess(url);
    record = await drive({
      story,
      nodes: [node],
      slot: 15 * 60,
      everySlot: false,
      kills: 0,
      outages: outagesOf(story),
    });
    await node.close();
    const store = await openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });
    entries = await Array.fromAsync(entriesOf(store));
    await store.close();
  } finally {
    await remove();
  }
}, 120_000);

it('a year of discharges misses no follow-up, doubles none, raises none early', async () => {
  const report = await judgeYear({ people, record }, entries);
  for (const [patient, lines] of report.damage) expect(lines, report.story(patient).join('\n')).toEqual([]);
  expect(report.transitions).toBeGreaterThan(5);
  expect(report.escalated).toBeGreaterThan(10);
});

it.each(Object.entries(BREAKINGS))('finds a Baton that %s', async (_, breaking) => {
  const broken = breaking(entries);
  const { damage } = await judgeYear({ people, record }, broken.entries);
  const [, step = ''] = broken.key.split('|');
  expect([...damage.values()].flat().filter((line) => line.includes(step))).not.toEqual([]);
  expect(damage.size).toBeLessThanOrEqual(2);
});
