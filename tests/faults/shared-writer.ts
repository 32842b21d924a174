// One of several processes that write to one database: pairs that must stay equal, conditional creates of what the others
// create too, and updates with If-Match of what the others update too. Says on standard output what became of each commit:
// `+ type id version` for what was acknowledged as written, `- value` for what was refused as not written. Never ends.
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { Fault } from '../../src/fault.ts';
import type { Change } from '../../src/fhir/change.ts';
import { openStore } from '../../src/store/open.ts';
import { NURSE, observation, patient } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';
import { COUNTER, SHARED } from './shared-names.ts';

const WRITERS = 8;

const [url = '', name = ''] = process.argv.slice(2);
const store = await openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });

async function write(writer: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const value = `${name}-${writer}-${round}`;
    const changes = round % 3 === 0 ? pair(writer, value) : round % 3 === 1 ? [shared(round)] : await count(value);
    store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id: COUNTER });
    await attempt(changes, value);
  }
}

async function attempt(changes: readonly Change[], value: string): Promise<void> {
  try {
    for (const { written, type, id, versionId } of await store.commit(NURSE, changes)) {
      if (written) process.stdout.write(`+ ${type} ${id} ${versionId}\n`);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Of a timeout nobody knows whether it was written; everything else surely was not.
    if (error.kind !== 'timeout') process.stdout.write(`- ${value}\n`);
  }
}

function pair(writer: number, value: string): Change[] {
  const [left, right] = [`${name}-${writer}-left`, `${name}-${writer}-right`];
  return [
    { op: 'update', resource: patient(value, { id: left }) },
    { op: 'update', resource: observation(`Patient/${left}`, { id: right, note: [{ text: value }] }) },
  ];
}

function shared(round: number): Change {
  const value = `${SHARED}${round}`;
  return { op: 'create', resource: patient(value), ifNoneExist: `identifier=${value}` };
}

/** Adds a version to the counter unless another writer is faster. */
async function count(value: string): Promise<Change[]> {
  const found = await store.read('Patient', COUNTER).catch(() => undefined);
  const resource = patient(value, { id: COUNTER });
  return [{ op: 'update', resource, ...(found && { ifMatch: found.versionId }) }];
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
