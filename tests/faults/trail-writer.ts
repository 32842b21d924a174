// A process for trail-kill.test.ts: commits, records reads, seals, and attributes versions without end. Prints a line for
// each seal. Runs until it is killed.
import { join } from 'node:path';
import { pino } from 'pino';
import { openKeys } from '../../src/access/keys.ts';
import { createProvenanceWriter } from '../../src/audit/provenance-writer.ts';
import { createTrail } from '../../src/audit/trail.ts';
import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { NURSE, observation, patient } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';

const [folder = '', name = ''] = process.argv.slice(2);
const clock = systemClock();
const log = pino({ level: 'silent' });
const store = await openStore({ url: `sqlite:${join(folder, 'baton.db')}`, clock, log, ...testRules() });
const trail = createTrail({ store, clock, log, keys: await openKeys(folder), dataDir: folder });
const provenance = createProvenanceWriter({ store, baseUrl: 'https://baton.test', log });

async function write(): Promise<never> {
  for (let round = 0; ; round += 1) {
    const id = `${name}-${process.pid}-${round % 20}`;
    store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id });
    await store.commit(NURSE, [
      { op: 'update', resource: patient(String(round), { id }) },
      { op: 'create', resource: observation(`Patient/${id}`) },
    ]);
  }
}

async function seal(): Promise<never> {
  for (;;) {
    await trail.seal();
    process.stdout.write('sealed\n');
  }
}

async function attribute(): Promise<never> {
  for (;;) {
    await provenance.run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all([write(), seal(), attribute()]);
