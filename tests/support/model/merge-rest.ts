// The end of a world of random merges: everything works, every question is answered, and it goes on afterwards.
import { NURSE } from '../sync-world.ts';
import { answerOne, decide } from './merge-answers.ts';
import { edited } from './merge-words.ts';
import { DAY, type MergeDays, MINUTE, mixed, note, patientsAt, patientsHere } from './merge-world.ts';
import { isClosed } from './people.ts';
import { SERVERS } from './two-servers.ts';

/** Everything works again and every question is answered, until nothing moves any more. */
export async function comeToRest(days: MergeDays): Promise<string[]> {
  const { world } = days;
  world.start();
  for (const name of SERVERS) {
    world.remotes[name].lateness = 0;
    world.remotes[name].failing.clear();
  }
  for (let rounds = 0; rounds < 40; rounds += 1) {
    world.pass(rounds % 4 === 0 ? DAY : 20 * MINUTE);
    await tryParked(days);
    await exchange(days);
    if (rounds % 4 === 1) await world.sync.sweep();
    const damage = await mixed(days);
    if (damage.length > 0) return damage;
    if (rounds === 12) await sayLost(days);
    if (rounds > 14 && (await isQuiet(days))) return [];
    for (const question of await world.sync.matches(undefined, true)) {
      const isOpen = (await world.sync.matches(undefined, true)).some(({ id }) => id === question.id);
      if (isOpen) await answerOne(days, question, false);
    }
    for (let answers = 0; answers < 5; answers += 1) await decide(days);
  }
  return [`It does not come to rest: ${JSON.stringify(await world.sync.status())}`];
}

/** What an operator does who knows of a restore, and is told that more is missing than a sweep believes. */
async function sayLost({ world }: MergeDays): Promise<void> {
  const rows = await world.store.query("SELECT DISTINCT connection FROM identity WHERE unseen = 'replaced'");
  for (const { connection } of rows) await world.sync.sweep(String(connection), { lost: true });
}

/** What a server refused for too long was told of; a person has it tried again. */
async function tryParked(days: MergeDays): Promise<void> {
  const { store, sync } = days.world;
  for (const { id, local_id } of await store.query("SELECT id, local_id FROM outbox WHERE state = 'parked'")) {
    note(days, `${local_id} is tried again`);
    await sync.retry(NURSE, String(id));
  }
}

async function exchange({ world }: MergeDays): Promise<void> {
  await world.sync.pullNow();
  await world.sync.pushNow();
}

async function isQuiet(days: MergeDays): Promise<boolean> {
  const { sync, store, remotes, pass } = days.world;
  if ((await sync.conflicts()).length + (await sync.matches(undefined, true)).length > 0) return false;
  const state = async () => [remotes.a.writes, remotes.b.writes, await store.head()].join();
  const before = await state();
  pass(DAY);
  await exchange(days);
  await sync.sweep();
  await exchange(days);
  if ((await sync.conflicts()).length + (await sync.matches(undefined, true)).length > 0) return false;
  return before === (await state());
}

/** What is written afterwards still goes where it belongs. */
export async function goOn(days: MergeDays): Promise<string[]> {
  const { world, people } = days;
  for (const name of SERVERS) {
    for (const patient of patientsAt(days, name)) {
      const word = people.write([people.ofRecord(name, patient.id) ?? '']);
      const key = `k${++days.made}`;
      const groupIdentifier = { system: 'urn:key', value: key };
      const rest = { status: 'requested', intent: 'order', groupIdentifier, description: word } as const;
      world.remotes[name].put({ resourceType: 'Task', id: key, ...rest, for: { reference: `Patient/${patient.id}` } });
    }
  }
  for (const patient of (await patientsHere(days)).filter((one) => !isClosed(one))) {
    const next = edited(days, 'here', patient);
    if (next) await world.write(next);
  }
  for (let rounds = 0; rounds < 5; rounds += 1) {
    world.pass(20 * MINUTE);
    await exchange(days);
  }
  return (await isQuiet(days)) ? [] : [`It does not come to rest again: ${JSON.stringify(await world.sync.status())}`];
}
