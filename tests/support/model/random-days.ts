// Random days of Baton between two servers: edits everywhere, crashes, lost answers, outages, servers restored from a
// backup, clocks that jump. At the end each pair is equal or was asked about, nothing is there twice and no edit is lost.
// docs/sync-spec.md#I12 docs/sync-spec.md#I14
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { Fault } from '../../../src/fault.ts';
import { sameJson } from '../../../src/fhir/canonical-json.ts';
import { comparable, jsonOf, resourceOf } from '../../../src/sync/body.ts';
import type { Resolution } from '../../../src/sync/conflicts/resolve.ts';
import { readLinkMap } from '../../../src/sync/link-map.ts';
import { mapUrls, remoteTargets, toLocalTerms } from '../../../src/sync/mapping.ts';
import { randomFrom } from '../seeded-random.ts';
import { NURSE } from '../sync-world.ts';
import { type Acts, chooseAct, pick } from './acts.ts';
import { Edits, ELEMENTS, keyOf, type Made, type Place } from './edits.ts';
import { Bomb } from './fragile.ts';
import type { ModelKnobs } from './model-remote.ts';
import { openTwoServers, SERVERS, type ServerName, type TwoServers } from './two-servers.ts';

const TYPES = ['Patient', 'CarePlan', 'Task'] as const;
/** Enough for resources to meet each other's edits often. */
const MOST_MADE = 14;
const MOST_PATIENTS = 3;
const MINUTE = 60_000;

export interface DayReport {
  readonly steps: number;
  readonly edits: number;
  readonly crashes: number;
  readonly restores: number;
  readonly conflicts: number;
  readonly requests: number;
  readonly writes: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
  /** What was done, for whoever looks for the reason. */
  readonly story: readonly string[];
}

interface Days {
  readonly world: TwoServers;
  readonly knobs: Readonly<Record<ServerName, ModelKnobs>>;
  readonly random: () => number;
  readonly edits: Edits;
  readonly story: string[];
  readonly deleted: Set<string>;
  /** `server key` of copies that a restore took back. */
  readonly tookBack: Set<string>;
  /** Keys of those edited afterwards in a way that nobody can tell, and of those decided wholesale. */
  readonly unclear: Set<string>;
  /** Whether every exchange is part of the story. */
  readonly isTold: boolean;
  readonly backups: Partial<Record<ServerName, { restore(): void }>>;
  made: number;
  crashes: number;
  restores: number;
}

const ACTS: Acts<Days> = [
  ['pull', 14, (days) => days.world.sync.pullNow(server(days))],
  ['push', 14, (days) => days.world.sync.pushNow(server(days))],
  ['edit here', 16, editHere],
  ['edit there', 16, editThere],
  ['make here', 5, makeHere],
  ['make there', 4, makeThere],
  ['crash', 6, crash],
  ['failing call', 4, failOnce],
  ['trouble', 8, trouble],
  ['outage', 1, (days) => flip(days, 'down')],
  ['late', 2, (days) => flip(days, 'lateness')],
  ['time', 8, ({ world, random }) => world.pass(Math.floor(random() * 3 * MINUTE))],
  ['long time', 1, ({ world, random }) => world.pass(Math.floor(random() * 600 * MINUTE))],
  ['machine clock', 1, ({ world, random }) => world.turnMachine(-Math.floor(random() * 5 * MINUTE))],
  ['server clock', 1, turnServerClock],
  ['status here', 2, statusHere],
  ['refer here', 3, referHere],
  ['refer there', 3, referThere],
  ['delete here', 0.6, deleteHere],
  ['delete there', 0.4, deleteThere],
  ['decide', 3, decide],
  ['backup', 1.5, backup],
  ['restore', 0.8, restore],
];

/** @param steps of one world, before it comes to rest */
export async function randomDays(seed: number, steps: number, isTold = false): Promise<DayReport> {
  const random = randomFrom(seed);
  const knobs = { a: knobsFrom(random), b: knobsFrom(random) };
  const world = await openTwoServers({ knobs, random });
  const unsure = { tookBack: new Set<string>(), unclear: new Set<string>() };
  const nothing = { edits: new Edits(), story: [], deleted: new Set<string>(), ...unsure, backups: {} };
  const days: Days = { world, knobs, random, isTold, ...nothing, made: 0, crashes: 0, restores: 0 };
  days.story.push(JSON.stringify(knobs));
  try {
    await makePatient(days);
    for (let step = 0; step < steps; step += 1) {
      world.pass(1 + Math.floor(random() * 2_000));
      const [name, , act] = chooseAct(ACTS, random);
      days.story.push(`${step} ${name}`);
      const seen = await countOf(world, 'message');
      await act(days);
      await tellExchanges(days, seen);
    }
    const seen = await countOf(world, 'message');
    const unrest = await comeToRest(days);
    await tellExchanges(days, seen);
    const damage = [...unrest, ...(await findDamage(days))];
    const { a, b } = world.remotes;
    return {
      steps,
      edits: days.edits.count,
      crashes: days.crashes,
      restores: days.restores,
      conflicts: await countOf(world, 'conflict'),
      requests: a.requests + b.requests,
      writes: a.writes + b.writes,
      damage,
      story: days.story,
    };
  } finally {
    await world.cleanup();
  }
}

async function countOf({ store }: TwoServers, table: string): Promise<number> {
  return Number((await store.query(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
}

async function tellExchanges(days: Days, since: number): Promise<void> {
  const sql = `SELECT connection, direction, method, url, status, type, local_id, outcome, detail FROM message
    ORDER BY rowid LIMIT -1 OFFSET ?`;
  if (!days.isTold) return;
  for (const row of await days.world.store.query(sql, [since])) note(days, Object.values(row).join(' '));
}

function knobsFrom(random: () => number): ModelKnobs {
  const flag = () => random() < 0.5;
  return {
    conditionalCreate: flag(),
    versioning: random() < 0.8,
    transactions: flag(),
    secondPrecision: flag(),
    pageSize: flag() ? 4 : 50,
    normalise: flag(),
    repeatAcrossPages: flag(),
    countsIds: flag(),
  };
}

const server = ({ random }: Days): ServerName => (random() < 0.5 ? 'a' : 'b');
const note = (days: Days, text: string): void => void days.story.push(`    ${text}`);

async function everythingHere({ world }: Days): Promise<(Made & { id: string })[]> {
  const found: (Made & { id: string })[] = [];
  for (const type of TYPES) found.push(...(await world.all<Made>(type)));
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function everythingAt({ world }: Days, name: ServerName): (Made & { id: string })[] {
  const all = TYPES.flatMap((type) => world.remotes[name].all(type) as (Made & { id: string })[]);
  return all.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function editOf(days: Days, place: Place, resource: Made): Made & { id: string } {
  const element = pick(
    days.random,
    ELEMENTS.filter(({ type }) => type === resource.resourceType),
  );
  if (!element) throw new Error('nothing to edit');
  const edited = days.edits.make(place, element, resource);
  note(days, `${place} ${keyOf(resource)}.${element.name} ${element.get(resource)} -> e${days.edits.count}.`);
  return edited as Made & { id: string };
}

async function editHere(days: Days): Promise<void> {
  const chosen = pick(days.random, await everythingHere(days));
  if (chosen) await days.world.write(editOf(days, 'here', chosen));
}

async function editThere(days: Days): Promise<void> {
  const name = server(days);
  const chosen = pick(days.random, everythingAt(days, name));
  if (!chosen) return;
  await putThere(days, name, editOf(days, name, chosen));
}

/**
 * A copy at an earlier version than Baton knows says that it was taken back, however it was edited. At the version that Baton
 * knows, or a later one, it looks like an edit of what Baton wrote: the server tells two stories under one number.
 */
async function putThere(days: Days, name: ServerName, resource: Made & { id: string }): Promise<void> {
  const { world, knobs, tookBack, unclear } = days;
  const { id, meta } = resource;
  if (tookBack.has(`${name} ${keyOf(resource)}`)) {
    const sql = "SELECT remote_version FROM identity WHERE connection = ? AND remote_id = ? AND state <> 'replaced'";
    const known = Number((await world.store.query(sql, [name, id]))[0]?.remote_version ?? 0);
    if (!knobs[name].versioning || Number(meta?.versionId) + 1 >= known) unclear.add(keyOf(resource));
  }
  world.remotes[name].put(resource);
}

async function statusHere(days: Days): Promise<void> {
  const tasks = (await everythingHere(days)).filter(({ resourceType }) => resourceType === 'Task');
  const chosen = pick(days.random, tasks);
  const status = pick(days.random, ['accepted', 'in-progress', 'completed', 'cancelled'] as const);
  if (!chosen || !status) return;
  try {
    await days.world.write({ ...chosen, status } as Task & { id: string });
  } catch (error) {
    // No such step leads from where it is.
    if (!(error instanceof Fault) || error.kind !== 'unprocessable') throw error;
    note(days, error.message);
  }
}

async function makePatient(days: Days): Promise<void> {
  const key = `p${++days.made}`;
  note(days, `made ${key}`);
  const patient: Patient & { id: string } = {
    resourceType: 'Patient',
    id: key,
    name: [{ family: key }],
    identifier: [{ system: 'urn:mrn', value: key }],
    birthDate: '1950-02-01',
  };
  await days.world.write(patient);
  // The other server knows some of them already, by the same number.
  if (days.random() >= 0.3) return;
  const { b } = days.world.remotes;
  const { lateness } = b;
  b.lateness = 0;
  b.put({ ...patient, id: `there-${key}` });
  b.lateness = lateness;
}

async function makeHere(days: Days): Promise<void> {
  const here = await everythingHere(days);
  const patients = here.filter(({ resourceType }) => resourceType === 'Patient');
  if (patients.length < MOST_PATIENTS && days.random() < 0.3) return makePatient(days);
  const patient = pick(days.random, patients);
  if (!patient || days.made >= MOST_MADE) return;
  const key = `h${++days.made}`;
  note(days, `made ${key}`);
  const subject = `Patient/${patient.id}`;
  if (days.random() < 0.5) return days.world.write(taskOf(key, key, subject));
  const plan: CarePlan & { id: string } = {
    resourceType: 'CarePlan',
    id: key,
    status: 'active',
    intent: 'plan',
    instantiatesUri: [key],
    subject: { reference: subject },
    activity: [{ reference: { reference: `Task/${key}-t` } }],
  };
  const task = { ...taskOf(`${key}-t`, `${key}-t`, subject), basedOn: [{ reference: `CarePlan/${key}` }] };
  await days.world.store.commit(NURSE, [
    { op: 'update', resource: plan },
    { op: 'update', resource: task },
  ]);
}

function makeThere(days: Days): void {
  const name = server(days);
  const patient = pick(days.random, days.world.remotes[name].all('Patient'));
  if (!patient || days.made >= MOST_MADE) return;
  const key = `${name}${++days.made}`;
  note(days, `made ${key}`);
  days.world.remotes[name].put(taskOf(key, days.world.remotes[name].freshId(), `Patient/${patient.id}`));
}

function taskOf(key: string, id: string, subject: string): Task & { id: string } {
  const groupIdentifier = { system: 'urn:key', value: key };
  const rest = { status: 'requested', intent: 'order', for: { reference: subject } } as const;
  return { resourceType: 'Task', id, groupIdentifier, ...rest };
}

/** A plan gets another task, or loses one. */
async function referHere(days: Days): Promise<void> {
  const next = referred(days, await everythingHere(days));
  if (!next) return;
  note(days, `here ${keyOf(next)} does ${JSON.stringify(next.activity)}`);
  await days.world.write(next);
}

async function referThere(days: Days): Promise<void> {
  const name = server(days);
  const next = referred(days, everythingAt(days, name));
  if (!next) return;
  note(days, `${name} ${keyOf(next)} does ${JSON.stringify(next.activity)}`);
  await putThere(days, name, next);
}

function referred({ random }: Days, all: readonly (Made & { id: string })[]): (CarePlan & { id: string }) | undefined {
  const plan = pick(
    random,
    all.filter(({ resourceType }) => resourceType === 'CarePlan'),
  ) as CarePlan & { id: string };
  const task = pick(
    random,
    all.filter(({ resourceType }) => resourceType === 'Task'),
  );
  if (!plan || !task) return undefined;
  const reference = `Task/${task.id}`;
  const rest = plan.activity?.filter((one) => one.reference?.reference !== reference) ?? [];
  const isKnown = rest.length < (plan.activity?.length ?? 0);
  const { activity: _activity, ...bare } = plan;
  const next = isKnown ? rest : [...rest, { reference: { reference } }];
  return next.length > 0 ? { ...bare, activity: next } : bare;
}

/** One run of a process that dies at one of its calls. */
async function crash(days: Days): Promise<void> {
  await runWith(days, new Bomb(1 + Math.floor(days.random() * 40), days.random() < 0.5 ? 'before' : 'after', true));
}

async function failOnce(days: Days): Promise<void> {
  await runWith(days, new Bomb(1 + Math.floor(days.random() * 40), days.random() < 0.5 ? 'before' : 'after'));
}

async function runWith(days: Days, bomb: Bomb): Promise<void> {
  const { world } = days;
  const name = server(days);
  world.start(bomb);
  if (days.random() < 0.5) await world.sync.pullNow(name);
  else await world.sync.pushNow(name);
  if (bomb.exploded) days.crashes += 1;
  note(days, `${name} ${bomb.exploded ? 'exploded' : 'got through'}`);
  world.start();
}

function trouble(days: Days): void {
  const { troubles } = days.world.remotes[server(days)];
  const drop = { kind: 'drop', effect: days.random() < 0.5 ? 'before' : 'after' } as const;
  const statuses = [429, 500, 502, 503, 409, 412, 423];
  const status = pick(days.random, statuses) ?? 500;
  const retry = days.random() < 0.3 ? { retryAfter: '2' } : {};
  troubles.push(
    days.random() < 0.6 ? drop : days.random() < 0.1 ? { kind: 'html' } : { kind: 'status', status, ...retry },
  );
}

/** By less than the overlap in all, as time servers do. */
function turnServerClock(days: Days): void {
  days.world.skew[server(days)] = Math.floor((days.random() - 0.5) * 2 * MINUTE);
}

function flip(days: Days, knob: 'down' | 'lateness'): void {
  const remote = days.world.remotes[server(days)];
  if (knob === 'down') remote.down = !remote.down;
  // Within what the vendor file allows for; beyond it no client could know.
  else remote.lateness = remote.lateness === 0 ? 8_000 : 0;
}

async function deleteHere(days: Days): Promise<void> {
  const here = (await everythingHere(days)).filter(({ resourceType }) => resourceType === 'Task');
  const chosen = pick(days.random, here);
  if (!chosen) return;
  days.deleted.add(keyOf(chosen));
  note(days, `deleted ${keyOf(chosen)}`);
  await days.world.remove('Task', chosen.id);
}

function deleteThere(days: Days): void {
  const name = server(days);
  const chosen = pick(days.random, days.world.remotes[name].all('Task'));
  if (!chosen) return;
  days.deleted.add(keyOf(chosen));
  note(days, `deleted ${keyOf(chosen)} at ${name}`);
  days.world.remotes[name].remove('Task', chosen.id);
}

async function decide(days: Days): Promise<void> {
  const open = (await days.world.sync.conflicts()).sort((a, b) => (a.localId < b.localId ? -1 : 1));
  const conflict = pick(days.random, open);
  if (!conflict) return;
  const kinds =
    conflict.kind === 'content'
      ? (['ours', 'ours', 'theirs', 'proposed', 'proposed'] as const)
      : (['ours', 'theirs'] as const);
  const resolution: Resolution = { take: pick(days.random, kinds) ?? 'ours' };
  note(days, `${conflict.connection} ${conflict.localId} ${conflict.kind}: ${resolution.take}`);
  try {
    // Who looked decides about what it is now, who did not about what it was.
    const tag = days.random() < 0.5 ? (await days.world.sync.conflict(conflict.id)).tag : undefined;
    await days.world.sync.resolve(NURSE, conflict.id, resolution, tag);
  } catch (error) {
    // Refused when our copy was edited since, or when there is no such side.
    note(days, (error as Error).message);
    return;
  }
  // The whole of their copy, with whatever it lacks of ours: the person's will, not a loss.
  if (resolution.take === 'theirs' && conflict.local) days.unclear.add(keyOf(resourceOf(conflict.local)));
  const ours = (await everythingHere(days)).find(({ id }) => id === conflict.localId);
  if (ours && conflict.remote) days.edits.choose(ours, resourceOf(conflict.remote) as Made);
}

function backup(days: Days): void {
  const name = server(days);
  days.backups[name] = { restore: days.world.remotes[name].backup() };
  note(days, name);
}

/** The server goes back to its backup, and somebody who knows lets Baton read it anew. */
async function restore(days: Days): Promise<void> {
  const name = server(days);
  const kept = days.backups[name];
  if (!kept) return;
  const before = everythingAt(days, name);
  kept.restore();
  days.restores += 1;
  note(days, name);
  const after = new Map(everythingAt(days, name).map((one) => [keyOf(one), one]));
  for (const one of before) {
    const now = after.get(keyOf(one));
    if (!now) days.deleted.add(keyOf(one));
    else if (now.meta?.versionId !== one.meta?.versionId) days.tookBack.add(`${name} ${keyOf(one)}`);
  }
  const known = await days.world.store.query('SELECT content FROM version');
  // So is what a person was asked about: a copy from before that is not news, but was followed by it.
  const seen = [...known.map(({ content }) => String(content)), await everythingAsked(days)];
  const text = [...seen, JSON.stringify([...after.values()])].join('\n');
  days.edits.forget(name, (edit) => text.includes(`"${edit}"`));
  await readAnew(days, name);
}

async function readAnew({ world }: Days, name: ServerName): Promise<void> {
  const nothing = 'high_water = NULL, cursor = NULL, window_start = NULL, window_max = NULL';
  const rewind = { sql: `UPDATE checkpoint SET ${nothing} WHERE connection = ?`, params: [name] };
  await world.store.commit({ reference: 'Device/operator', kind: 'service' }, [], [rewind]);
}

/** Everything works again and every question is answered, until nothing moves any more. */
async function comeToRest(days: Days): Promise<string[]> {
  const { world } = days;
  world.start();
  for (const name of SERVERS) {
    Object.assign(world.remotes[name], { down: false, lateness: 0 });
    world.remotes[name].troubles.length = 0;
    world.skew[name] = 0;
    // As the nightly sweep does: what was there before its patient was known is found by it only.
    await readAnew(days, name);
  }
  for (let rounds = 0; rounds < 60; rounds += 1) {
    world.pass(20 * MINUTE);
    await world.sync.pullNow();
    await world.sync.pushNow();
    if (rounds > 4 && (await isQuiet(days))) return [];
    if (rounds === 20) await sayLost(days);
    for (let answers = 0; rounds > 1 && rounds < 50 && answers < 5; answers += 1) await decide(days);
  }
  return [`It does not come to rest: ${await unrest(days)}`];
}

/** What is still to be sent or answered. */
async function unrest({ world }: Days): Promise<string> {
  const due = await world.store.query(`SELECT connection, type, local_id, state, waits_for, fault FROM outbox
    WHERE state IN ('queued', 'sending')`);
  const open = (await world.sync.conflicts()).map(({ connection, localId, kind }) => [connection, localId, kind]);
  return JSON.stringify([...due.map((row) => Object.values(row)), ...open]);
}

/** What an operator does who knows of the restore, and is told that more is missing than a sweep believes. */
async function sayLost({ world }: Days): Promise<void> {
  const rows = await world.store.query("SELECT DISTINCT connection FROM identity WHERE unseen = 'replaced'");
  for (const { connection } of rows) await world.sync.sweep(String(connection), { lost: true });
}

async function isQuiet({ world }: Days): Promise<boolean> {
  if ((await world.sync.conflicts()).length > 0) return false;
  const status = await world.sync.status();
  if (status.some(({ outbox }) => outbox.queued + outbox.sending > 0)) return false;
  const before = [world.remotes.a.writes, world.remotes.b.writes, await world.store.head()].join();
  world.pass(20 * MINUTE);
  await world.sync.pullNow();
  await world.sync.pushNow();
  return before === [world.remotes.a.writes, world.remotes.b.writes, await world.store.head()].join();
}

async function findDamage(days: Days): Promise<string[]> {
  const { deleted, unclear } = days;
  const damage: string[] = [];
  const here = await everythingHere(days);
  damage.push(...repeated('here', here, deleted));
  const questions = await everythingAsked(days);
  const isAsked = (text: string) => questions.includes(`"${text}"`);
  const gone = (await Promise.all(SERVERS.map((name) => goneAt(days, name)))).flatMap((ids) => [...ids]);
  for (const resource of here) {
    const key = keyOf(resource);
    // What is edited there of it waits for them to be there again.
    if (gone.some((id) => isAbout(resource, id))) continue;
    if (!deleted.has(key) && !unclear.has(key)) damage.push(...days.edits.lost(resource, isAsked));
  }
  for (const name of SERVERS) damage.push(...(await differences(days, name, here)));
  return damage;
}

async function everythingAsked({ world }: Days): Promise<string> {
  const asked = await world.store.query('SELECT local, remote, remote_body, proposed FROM conflict');
  return asked.map((row) => Object.values(row).join(' ')).join('\n');
}

/** @param deleted keys that may come back as another copy, because a person decided so */
function repeated(place: Place, resources: readonly Made[], deleted: ReadonlySet<string>): string[] {
  const keys = resources.map(keyOf).filter((key) => !deleted.has(key));
  const twice = [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
  return twice.map((key) => `${key} is there twice at ${place}.`);
}

/** Patients of ours whom the server lost and a person took for gone there: what is about them does not go. */
async function goneAt({ world }: Days, name: ServerName): Promise<Set<string>> {
  const sql = "SELECT local_id FROM identity WHERE connection = ? AND type = 'Patient' AND state = 'tombstone'";
  return new Set((await world.store.query(`${sql} AND unseen IS NOT NULL`, [name])).map((row) => String(row.local_id)));
}

const isAbout = (resource: Made, patient: string) => JSON.stringify(resource).includes(`"Patient/${patient}"`);

async function differences(days: Days, name: ServerName, here: readonly (Made & { id: string })[]): Promise<string[]> {
  const { world, deleted } = days;
  const damage = [];
  const there = everythingAt(days, name);
  damage.push(...repeated(name, there, deleted));
  const context = { remoteBase: world.remotes[name].baseUrl, ownSystem: 'https://baton.test/id' };
  const own = there.map(({ resourceType, id }) => ({ type: resourceType, id }));
  const targets = there.flatMap((one) => remoteTargets(context, jsonOf(one)));
  const map = await readLinkMap(world.store, name, [], [...own, ...targets]);
  const gone = await goneAt(days, name);
  for (const local of here) {
    if (deleted.has(keyOf(local))) continue;
    const remote = there.find((one) => map.localOf(one.resourceType, one.id) === local.id);
    if (!remote && [...gone].some((id) => isAbout(local, id))) continue;
    if (!remote) {
      damage.push(`${keyOf(local)} is not at ${name}.`);
      continue;
    }
    const mapped = toLocalTerms(context, map, jsonOf(remote)).body;
    // What is not here any more is named by its URL there.
    const ours = mapUrls(context, map.localOf, comparable(jsonOf(local)));
    if (sameJson(mapped, ours)) continue;
    damage.push(`${keyOf(local)} differs at ${name}: ${JSON.stringify(mapped)} instead of ${JSON.stringify(ours)}`);
  }
  const known = new Set(here.map(keyOf));
  for (const remote of there) {
    if (!known.has(keyOf(remote)) && !deleted.has(keyOf(remote)))
      damage.push(`${keyOf(remote)} at ${name} is not here.`);
  }
  return damage;
}
