// A process for trail-kill.test.ts: commits, records reads, seals, and attributes versions without end. Prints a line for
// each seal. Runs until it is killed. The one that is named `reader` records bursts of reads, which are written by a thread of
// their own, and prints a line for each that is there.
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

async function readMuch(): Promise<never> {
  const isThere = async (id: string) => (await store.query('SELECT 1 FROM audit WHERE id = ?', [id])).length > 0;
  for (let burst = 0; ; burst += 1) {
    const id = `${name}-${process.pid}-${burst}`;
    for (let n = 0; n < 300; n += 1) {
      store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id });
    }
    while (!(await isThere(id))) await new Promise((resolve) => setImmediate(resolve));
    if (burst % 3 === 0) await trail.seal();
    process.stdout.write('read\n');
  }
}

async function attribute(): Promise<never> {
  for (;;) {
    await provenance.run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

if (name === 'reader') await readMuch();
await Promise.all([write(), seal(), attribute()]);
