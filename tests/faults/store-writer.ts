// A process for store-kill.test.ts: commits without end to the database given, and prints what was acknowledged, one
// `type id version` a line. Runs until it is killed.
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import type { Change } from '../../src/fhir/change.ts';
import { openStore } from '../../src/store/open.ts';
import { NURSE, observation, patient } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';

const WRITERS = 8;

const [path, name] = process.argv.slice(2);
const store = await openStore({
  url: `sqlite:${path}`,
  clock: systemClock(),
  log: pino({ level: 'silent' }),
  ...testRules(),
});

const REFUSED = { op: 'update', resource: { resourceType: 'Patient', id: 'never', gender: 'unheard-of' } } as never;

/** One writer: creates, changes of a resource of its own, and pairs that must stay equal. */
async function write(writer: number): Promise<never> {
  for (let round = 0; ; round += 1) {
    const [left, right] = [`${name}-${writer}-left`, `${name}-${writer}-right`];
    const value = `${process.pid}-${round}`;
    const changes: Change[] =
      round % 3 === 0
        ? [{ op: 'create', resource: patient(value) }]
        : [
            { op: 'update', resource: patient(value, { id: left }) },
            { op: 'update', resource: observation(`Patient/${left}`, { id: right, note: [{ text: value }] }) },
          ];
    store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id: left });
    // One that fails when it has written its pair leaves nothing of itself, whenever the kill comes.
    if (round % 40 === 39) await store.commit(NURSE, [...changes, REFUSED]).catch(() => undefined);
    for (const outcome of await store.commit(NURSE, changes)) {
      process.stdout.write(`${outcome.type} ${outcome.id} ${outcome.versionId}\n`);
    }
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
