// The year in an hour, in small: a few patients, every kind of trouble but kill -9, compared with what should have happened.
// In full size by hand: npm run soak:year. docs/sync-spec.md#I24 docs/sync-spec.md#I25
import { expect, it } from 'vitest';
import { openTempStore } from '../../support/temp-store.ts';
import { liveYear } from './live-year.ts';
import { inProcess } from './nodes.ts';
import { outagesOf } from './outages.ts';
import { writeStory } from './write-story.ts';

it('a year of discharges misses no follow-up, doubles none, raises none early', async () => {
  const temp = await openTempStore({ engine: 'sqlite' });
  try {
    const story = writeStory({ seed: 7, patients: 8, stays: 20, days: 365 });
    const node = await inProcess(temp.url);
    const report = await liveYear(
      { story, nodes: [node], everySlot: false, kills: 0, outages: outagesOf(story) },
      async () => {
        await node.close();
        return temp.store;
      },
    );
    for (const [patient, lines] of report.damage) expect(lines, report.story(patient).join('\n')).toEqual([]);
    expect(report.transitions).toBeGreaterThan(10);
    expect(report.escalated).toBeGreaterThan(10);
  } finally {
    await temp.cleanup();
  }
});
