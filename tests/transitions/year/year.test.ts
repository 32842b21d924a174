// The year in an hour, in small: a few patients, every kind of trouble but kill -9, compared with what should have happened.
// In full size by hand: npm run soak:year. docs/sync-spec.md#I24 docs/sync-spec.md#I25
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import { testRules } from '../../support/store-rules.ts';
import { fastDatabase } from './fast-folder.ts';
import { liveYear } from './live-year.ts';
import { inProcess } from './nodes.ts';
import { outagesOf } from './outages.ts';
import { writeStory } from './write-story.ts';

it('a year of discharges misses no follow-up, doubles none, raises none early', async () => {
  const { url, remove } = await fastDatabase();
  try {
    const story = writeStory({ seed: 7, patients: 5, stays: 14, days: 365 });
    const node = await inProcess(url);
    const options = { story, nodes: [node], everySlot: false, kills: 0, outages: outagesOf(story) };
    const report = await liveYear(options, async () => {
      await node.close();
      return openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });
    });
    for (const [patient, lines] of report.damage) expect(lines, report.story(patient).join('\n')).toEqual([]);
    expect(report.transitions).toBeGreaterThan(5);
    expect(report.escalated).toBeGreaterThan(10);
  } finally {
    await remove();
  }
}, 120_000);
