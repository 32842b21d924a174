// Random days of people who are alike, have several records, are merged, taken apart and given to somebody else by two
// servers, while persons answer what they are asked, now so and then so, and records fail for a while. Whatever happens:
// nothing about one person ever stands at another. docs/sync-spec.md#I8
import type { Account, Appointment, Patient, Task } from '@medplum/fhirtypes';
import { Fault } from '../../../src/fault.ts';
import { resourceOf } from '../../../src/sync/body.ts';
import type { Resolution } from '../../../src/sync/conflicts/resolve.ts';
import type { MatchDecision } from '../../../src/sync/patients/decide-match.ts';
import type { AskedQuestion } from '../../../src/sync/patients/identity-question.ts';
import { readMatchRules } from '../../../src/sync/patients/match-rules.ts';
import { randomFrom } from '../seeded-random.ts';
import { NURSE } from '../sync-world.ts';
import { type Acts, chooseAct, pick } from './acts.ts';
import type { Place } from './edits.ts';
import { Bomb } from './fragile.ts';
import { findMergeDamage } from './merge-damage.ts';
import type { ModelKnobs } from './model-remote.ts';
import {
  isClosed,
  type Kept,
  keyOf,
  LOOKS,
  namesIn,
  type Paper,
  People,
  type Person,
  standsFor,
  wordsIn,
} from './people.ts';
import { openTwoServers, SERVERS, type ServerName, type TwoServers } from './two-servers.ts';

const MATCHING = readMatchRules(new URL('../../../profiles/matching', import.meta.url).pathname);
export const PAPERS = ['Task', 'Appointment', 'Account'] as const;
const PERSONS = Object.keys(LOOKS);
/** Enough for people to meet each other's records often. */
const MOST_RECORDS = 12;
const MOST_PAPERS = 16;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export interface MergeReport {
  readonly steps: number;
  readonly words: number;
  readonly merges: number;
  readonly answers: number;
  readonly crashes: number;
  readonly requests: number;
  readonly writes: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
  readonly story: readonly string[];
}

export interface MergeDays {
  readonly world: TwoServers;
  readonly random: () => number;
  readonly people: People;
  readonly story: string[];
  /** Servers merge, and persons answer, as it is; otherwise they err now and then. */
  readonly isRight: boolean;
  /** Whether all patients of the servers come in. */
  readonly takesAll: Readonly<Record<ServerName, boolean>>;
  /** Whom a server or a person has ever merged. */
  readonly merged: Set<Person>;
  /** Keys of papers, and persons, of whom a second copy may be made, because one was gone for a while. */
  readonly mayRepeat: Set<string>;
  readonly isTold: boolean;
  made: number;
  merges: number;
  answers: number;
  crashes: number;
}

const ACTS: Acts<MergeDays> = [
  ['pull', 16, (days) => days.world.sync.pullNow(server(days))],
  ['push', 14, (days) => days.world.sync.pushNow(server(days))],
  ['sweep', 2, (days) => days.world.sync.sweep(server(days))],
  ['patient here', 4, patientHere],
  ['patient there', 6, patientThere],
  ['paper here', 6, paperHere],
  ['paper there', 8, paperThere],
  ['edit here', 6, editHere],
  ['edit there', 7, editThere],
  ['merge there', 6, mergeThere],
  ['re-point there', 4, repointThere],
  ['unmerge there', 2, unmergeThere],
  ['move there', 2, moveThere],
  ['join here', 2, joinHere],
  ['join there', 2, joinThere],
  ['give away there', 2, giveAwayThere],
  ['delete there', 1, deleteThere],
  ['fail for a while', 2, failThere],
  ['work again', 3, workAgain],
  ['answer', 7, answer],
  ['decide', 4, decide],
  ['crash', 4, crash],
  ['late', 2, late],
  ['time', 8, ({ world, random }) => world.pass(Math.floor(random() * 3 * MINUTE))],
  ['long time', 1, ({ world, random }) => world.pass(Math.floor(random() * DAY))],
];

/** @param steps of one world, before it comes to rest */
export async function mergeDays(seed: number, steps: number, isTold = false): Promise<MergeReport> {
  const random = randomFrom(seed);
  const takesAll = { a: random() < 0.5, b: random() < 0.5 };
  const typesOf = (name: ServerName) => {
    const both = Object.fromEntries(PAPERS.map((type) => [type, 'both'] as const));
    return { Patient: takesAll[name] ? ('pull' as const) : ('both' as const), ...both };
  };
  const world = await openTwoServers({
    knobs: { a: knobsFrom(random), b: knobsFrom(random) },
    random,
    matching: MATCHING,
    types: { a: typesOf('a'), b: typesOf('b') },
  });
  const nothing = { people: new People(), story: [], merged: new Set<Person>(), mayRepeat: new Set<string>() };
  const counts = { made: 0, merges: 0, answers: 0, crashes: 0 };
  const days: MergeDays = { world, random, ...nothing, isRight: random() < 0.6, takesAll, isTold, ...counts };
  note(days, JSON.stringify({ takesAll, isRight: days.isRight }));
  const damage: string[] = [];
  try {
    for (let step = 0; step < steps && damage.length === 0; step += 1) {
      world.pass(1 + Math.floor(random() * 2_000));
      const [name, , act] = chooseAct(ACTS, random);
      days.story.push(`${step} ${name}`);
      damage.push(...(await told(days, () => act(days))));
    }
    if (damage.length === 0) damage.push(...(await told(days, () => comeToRest(days))));
    if (damage.length === 0) damage.push(...(await findMergeDamage(days)));
    if (damage.length === 0) damage.push(...(await told(days, () => goOn(days))));
    if (damage.length === 0) damage.push(...(await findMergeDamage(days)));
    const { a, b } = world.remotes;
    const { merges, answers, crashes, people, story } = days;
    const work = { requests: a.requests + b.requests, writes: a.writes + b.writes };
    return { steps, words: people.count, merges, answers, crashes, ...work, damage, story };
  } finally {
    await world.cleanup();
  }
}

/** Does something, tells of its exchanges, and says what stands at the wrong person after it. */
async function told(days: MergeDays, act: () => unknown): Promise<string[]> {
  const { world, isTold } = days;
  const count = async () => Number((await world.store.query('SELECT COUNT(*) AS n FROM message'))[0]?.n);
  const before = isTold ? await count() : 0;
  const said = await act();
  const sql = `SELECT connection, direction, method, url, status, type, local_id, remote_id, outcome, detail FROM message
    ORDER BY rowid LIMIT -1 OFFSET ?`;
  for (const row of isTold ? await world.store.query(sql, [before]) : []) note(days, Object.values(row).join(' '));
  return [...(Array.isArray(said) ? said : []), ...(await mixed(days))];
}

export async function mixed(days: MergeDays): Promise<string[]> {
  const { people } = days;
  // Those there first: references here may name them.
  const there = SERVERS.map((name) => [name, patientsAt(days, name), papersAt(days, name)] as const);
  const here = ['here', await patientsHere(days), await papersHere(days)] as const;
  for (const [place, patients] of [...there, here]) people.mixed(place, patients, []);
  return [...there, here].flatMap(([place, patients, papers]) => people.mixed(place, patients, papers));
}

function knobsFrom(random: () => number): ModelKnobs {
  const flag = () => random() < 0.5;
  return {
    conditionalCreate: flag(),
    versioning: random() < 0.8,
    transactions: flag(),
    secondPrecision: flag(),
    pageSize: flag() ? 4 : 50,
    normalise: false,
    repeatAcrossPages: flag(),
    findsOfPatient: flag(),
  };
}

const server = ({ random }: MergeDays): ServerName => (random() < 0.5 ? 'a' : 'b');
const note = (days: MergeDays, text: string): void => void days.story.push(`    ${text}`);
const chance = ({ random }: MergeDays, of: number) => random() < of;

async function allHere<T extends Patient | Paper>({ world }: MergeDays, type: string): Promise<Kept<T>[]> {
  const sql = "SELECT content FROM resource WHERE type = ? AND content <> '' ORDER BY rid";
  return (await world.store.query(sql, [type])).map(({ content }) => JSON.parse(String(content)));
}

export const patientsHere = (days: MergeDays) => allHere<Patient>(days, 'Patient');

export async function papersHere(days: MergeDays): Promise<Kept<Paper>[]> {
  const found: Kept<Paper>[] = [];
  for (const type of PAPERS) found.push(...(await allHere<Paper>(days, type)));
  return found;
}

export const patientsAt = ({ world }: MergeDays, name: ServerName) =>
  world.remotes[name].all('Patient') as Kept<Patient>[];

export const papersAt = ({ world }: MergeDays, name: ServerName) =>
  PAPERS.flatMap((type) => world.remotes[name].all(type) as Kept<Paper>[]);

function patientOf(days: MergeDays, id: string, person: Person): Kept<Patient> {
  const numbered = chance(days, 0.7) ? { identifier: [{ system: 'urn:mrn', value: person }] } : {};
  const mistyped = chance(days, 0.15) ? { birthDate: '1905-05-05' } : {};
  const maritalStatus = { text: days.people.write([person]) };
  return { resourceType: 'Patient', id, ...LOOKS[person], ...mistyped, ...numbered, maritalStatus };
}

async function patientHere(days: MergeDays): Promise<void> {
  const person = pick(days.random, PERSONS) ?? '';
  const known = (await patientsHere(days)).filter(({ id }) => days.people.ofRecord('here', id) === person);
  if (known.length > 1 || (known.length > 0 && chance(days, 0.7))) return;
  const id = `p${++days.made}`;
  days.people.isRecordOf('here', id, person);
  note(days, `${id} is ${person}`);
  await days.world.write(patientOf(days, id, person));
}

function patientThere(days: MergeDays): void {
  const name = server(days);
  const person = pick(days.random, PERSONS) ?? '';
  if (patientsAt(days, name).length >= MOST_RECORDS) return;
  const id = `r${++days.made}`;
  days.people.isRecordOf(name, id, person);
  note(days, `${id} at ${name} is ${person}`);
  days.world.remotes[name].put(patientOf(days, id, person));
}

/** A new paper about some patients of a place; a task about one only. */
function paperAbout(days: MergeDays, place: Place, patients: readonly Kept<Patient>[]): Kept<Paper> | undefined {
  const chosen = [...new Set([0, 1].flatMap(() => pick(days.random, patients) ?? []))];
  const [first] = chosen;
  if (!first) return undefined;
  const type = pick(days.random, PAPERS) ?? 'Task';
  const about = type === 'Task' ? [first] : chosen;
  const key = `k${++days.made}`;
  const word = days.people.write(about.flatMap(({ id }) => days.people.ofRecord(place, id) ?? []));
  const named = about.map(({ id }) => ({ reference: `Patient/${id}` }));
  note(days, `${type} ${key} at ${place} says ${word} about ${named.map(({ reference }) => reference).join()}`);
  const id = `${place}-${key}`;
  if (type === 'Account') {
    return { resourceType: type, id, status: 'active', name: key, description: word, subject: named };
  }
  if (type === 'Appointment') {
    const participant = named.map((actor) => ({ actor, status: 'accepted' as const }));
    return { resourceType: type, id, status: 'proposed', description: key, comment: word, participant };
  }
  const groupIdentifier = { system: 'urn:key', value: key };
  const [subject] = named;
  const task: Kept<Task> = {
    resourceType: type,
    id,
    status: 'requested',
    intent: 'order',
    groupIdentifier,
    description: word,
  };
  return subject ? { ...task, for: subject } : undefined;
}

async function paperHere(days: MergeDays): Promise<void> {
  const open = (await patientsHere(days)).filter((one) => !isClosed(one));
  const paper = (await papersHere(days)).length < MOST_PAPERS ? paperAbout(days, 'here', open) : undefined;
  if (paper) await days.world.write(paper);
}

function paperThere(days: MergeDays): void {
  const name = server(days);
  // Late words about records that are not used any more are written now and then.
  const some = patientsAt(days, name).filter((one) => !isClosed(one) || chance(days, 0.2));
  const paper = papersAt(days, name).length < MOST_PAPERS ? paperAbout(days, name, some) : undefined;
  if (paper) days.world.remotes[name].put(paper);
}

function edited(days: MergeDays, place: Place, one: Kept): Kept | undefined {
  const person = one.resourceType === 'Patient' ? days.people.ofRecord(place, one.id) : undefined;
  const about = one.resourceType === 'Patient' ? (person ? [person] : []) : days.people.about(place, one);
  if (about.length === 0) return undefined;
  const word = days.people.write(about);
  note(days, `${place} ${one.resourceType} ${one.id} ${keyOf(one)} says ${word}`);
  switch (one.resourceType) {
    case 'Patient':
      return { ...one, maritalStatus: { text: word } };
    case 'Task':
      return chance(days, 0.5)
        ? { ...one, note: [...(one.note ?? []), { time: '2026-11-24T12:00:00Z', text: word }] }
        : { ...one, description: word };
    case 'Appointment':
      return { ...one, comment: word };
    default:
      return { ...one, description: word };
  }
}

async function editHere(days: MergeDays): Promise<void> {
  const open = (await patientsHere(days)).filter((one) => !isClosed(one));
  const chosen = pick<Kept>(days.random, [...open, ...(await papersHere(days))]);
  const next = chosen && edited(days, 'here', chosen);
  if (next) await days.world.write(next);
}

function editThere(days: MergeDays): void {
  const name = server(days);
  const open = patientsAt(days, name).filter((one) => !isClosed(one));
  const chosen = pick<Kept>(days.random, [...open, ...papersAt(days, name)]);
  const next = chosen && edited(days, name, chosen);
  if (next) days.world.remotes[name].put(next);
}

/** In whatever order searches come to show what the server does. */
function mergeThere(days: MergeDays): void {
  const { world, people, random } = days;
  const name = server(days);
  const remote = world.remotes[name];
  const open = patientsAt(days, name).filter((one) => !isClosed(one));
  const from = pick(random, open);
  if (!from) return;
  const person = people.ofRecord(name, from.id) ?? '';
  const isMistaken = !days.isRight && chance(days, 0.3);
  const others = open.filter(({ id }) => {
    const other = people.ofRecord(name, id);
    return id !== from.id && other !== undefined && (isMistaken || other === person);
  });
  const into = pick(random, others);
  if (!into) return;
  const other = people.ofRecord(name, into.id) ?? '';
  people.unite(person, other);
  for (const one of [person, other]) days.merged.add(one);
  days.merges += 1;
  note(days, `${name} ${from.id} (${person}) into ${into.id} (${other})`);
  const { lateness } = remote;
  const lateFirst = chance(days, 0.5);
  const put = (one: Kept, isLate: boolean) => {
    remote.lateness = isLate && chance(days, 0.5) ? 8_000 : lateness;
    remote.put(one);
  };
  const link = [...(from.link ?? []), { type: 'replaced-by' as const, other: { reference: `Patient/${into.id}` } }];
  put({ ...from, active: false, link }, lateFirst);
  if (chance(days, 0.3)) {
    const replaces = { type: 'replaces' as const, other: { reference: `Patient/${from.id}` } };
    put({ ...into, link: [...(into.link ?? []), replaces] }, !lateFirst);
  }
  const share = pick(random, [0, 0.5, 1]) ?? 0;
  for (const paper of papersAt(days, name)) {
    if (names(paper, from.id) && chance(days, share)) put(renamed(paper, from.id, into.id), !lateFirst);
  }
  remote.lateness = lateness;
}

const names = (paper: Paper, id: string) => namesIn(paper).some(({ reference }) => reference === `Patient/${id}`);

function renamed(paper: Kept<Paper>, from: string, to: string): Kept<Paper> {
  return JSON.parse(JSON.stringify(paper).replaceAll(`"Patient/${from}"`, `"Patient/${to}"`));
}

function repointThere(days: MergeDays): void {
  const name = server(days);
  const closed = patientsAt(days, name).filter(isClosed);
  const late = papersAt(days, name).flatMap((paper) => {
    const from = closed.find(({ id }) => names(paper, id));
    const to = from && standsFor(from);
    return from && to !== undefined ? [{ paper, from: from.id, to }] : [];
  });
  const chosen = pick(days.random, late);
  if (!chosen) return;
  note(days, `${name} ${keyOf(chosen.paper)} from ${chosen.from} to ${chosen.to}`);
  days.world.remotes[name].put(renamed(chosen.paper, chosen.from, chosen.to));
}

function unmergeThere(days: MergeDays): void {
  const name = server(days);
  const chosen = pick(
    days.random,
    patientsAt(days, name).filter((one) => standsFor(one) !== undefined),
  );
  if (!chosen) return;
  note(days, `${name} ${chosen.id}`);
  const { active: _active, link: _link, ...rest } = chosen;
  days.world.remotes[name].put(rest as Kept<Patient>);
}

/** The server says that a task was entered under the wrong name. */
function moveThere(days: MergeDays): void {
  const { people, random } = days;
  const name = server(days);
  const task = pick(
    random,
    papersAt(days, name).filter(({ resourceType }) => resourceType === 'Task'),
  ) as Kept<Task>;
  const to = pick(
    random,
    patientsAt(days, name).filter((one) => !isClosed(one)),
  );
  const person = to && people.ofRecord(name, to.id);
  if (!task || !person) return;
  people.alsoAbout(wordsIn(task), [person]);
  note(days, `${name} ${keyOf(task)} to ${to.id} (${person})`);
  days.world.remotes[name].put({ ...task, for: { reference: `Patient/${to.id}` } });
}

/** One patient more, or one less. */
function joined(days: MergeDays, place: Place, papers: readonly Kept<Paper>[], patients: readonly Kept<Patient>[]) {
  const { people, random } = days;
  const paper = pick(
    random,
    papers.filter(({ resourceType }) => resourceType !== 'Task'),
  ) as Kept<Appointment | Account>;
  const open = patients.filter((one) => !isClosed(one));
  const other = pick(random, open);
  if (!paper || !other) return undefined;
  const reference = `Patient/${other.id}`;
  const isIn = names(paper, other.id);
  // Nobody may be named twice, and somebody has to be.
  if (isIn && namesIn(paper).every((one) => one.reference === reference)) return undefined;
  const person = people.ofRecord(place, other.id);
  if (!isIn && person) people.join(keyOf(paper), person);
  note(days, `${place} ${keyOf(paper)} ${isIn ? 'without' : 'with'} ${other.id} (${person})`);
  if (paper.resourceType === 'Account') {
    const { subject = [] } = paper;
    const rest = subject.filter((one) => one.reference !== reference);
    return { ...paper, subject: isIn ? rest : [...subject, { reference }] };
  }
  const rest = paper.participant.filter(({ actor }) => actor?.reference !== reference);
  const next = { actor: { reference }, status: 'accepted' as const };
  return { ...paper, participant: isIn ? rest : [...paper.participant, next] };
}

async function joinHere(days: MergeDays): Promise<void> {
  const next = joined(days, 'here', await papersHere(days), await patientsHere(days));
  if (next) await days.world.write(next);
}

function joinThere(days: MergeDays): void {
  const name = server(days);
  const next = joined(days, name, papersAt(days, name), patientsAt(days, name));
  if (next) days.world.remotes[name].put(next);
}

/** An id that Baton has let go is given to somebody else: of a linked one it would be an edit. */
async function giveAwayThere(days: MergeDays): Promise<void> {
  const { world, people, random } = days;
  const name = server(days);
  // Of a record that others were merged into it would say that these are somebody else, too.
  const standing = new Set(patientsAt(days, name).map(standsFor));
  const id = pick(
    random,
    (await idsLetGo(days, name)).filter((one) => !standing.has(one)),
  );
  const person = pick(random, PERSONS) ?? '';
  if (id === undefined || people.ofRecord(name, id) === undefined) return;
  note(days, `${name} ${id} of ${people.ofRecord(name, id)} is ${person} now`);
  const remote = world.remotes[name];
  const linked = await world.store.query('SELECT remote_id FROM identity WHERE connection = ?', [name]);
  const isKnown = (one: Kept) => linked.some(({ remote_id }) => remote_id === one.id);
  const papers = papersAt(days, name).filter((paper) => names(paper, id));
  // What nobody had heard of is from now on about whoever has the id.
  for (const paper of papers) if (!isKnown(paper)) people.alsoAbout(wordsIn(paper), [person]);
  // So is what here names it by its URL, because it was nobody's.
  const url = `${remote.baseUrl}/Patient/${id}`;
  const unknown = (await papersHere(days)).filter((paper) => namesIn(paper).some(({ reference }) => reference === url));
  for (const paper of unknown) people.alsoAbout(wordsIn(paper), [person]);
  people.handOver(name, id, person, papers);
  // No search shows the record of the one before any more.
  remote.remove('Patient', id);
  remote.put(patientOf(days, id, person));
}

/** Those whose record is linked with nobody, nor is any that stands for it. */
async function idsLetGo({ world }: MergeDays, name: ServerName): Promise<string[]> {
  const sql =
    "SELECT remote_id, replaced_by, state FROM identity WHERE connection = ? AND type = 'Patient' ORDER BY at";
  const rows = await world.store.query(sql, [name]);
  const isInUse = (id: unknown, seen: readonly unknown[] = []): boolean =>
    rows.some(({ remote_id, replaced_by, state }) => {
      if (remote_id !== id || seen.includes(id)) return false;
      if (state !== 'replaced') return seen.length === 0 || state !== 'tombstone';
      return replaced_by !== null && isInUse(replaced_by, [...seen, id]);
    });
  const ids = [...new Set(rows.map(({ remote_id }) => String(remote_id)))];
  return ids.filter((id) => !isInUse(id));
}

function deleteThere(days: MergeDays): void {
  const name = server(days);
  const chosen = pick<Kept>(days.random, [...patientsAt(days, name), ...papersAt(days, name)]);
  if (!chosen) return;
  repeatable(days, name, chosen);
  note(days, `${name} ${chosen.resourceType}/${chosen.id} ${keyOf(chosen)}`);
  days.world.remotes[name].remove(chosen.resourceType, chosen.id);
}

function repeatable({ mayRepeat, people }: MergeDays, place: ServerName, one: Kept): void {
  mayRepeat.add(one.resourceType === 'Patient' ? (people.ofRecord(place, one.id) ?? '') : keyOf(one));
}

function failThere(days: MergeDays): void {
  const name = server(days);
  const chosen = pick<Kept>(days.random, [...patientsAt(days, name), ...papersAt(days, name)]);
  const status = chance(days, 0.5) ? 500 : 410;
  if (!chosen) return;
  if (status === 410) repeatable(days, name, chosen);
  note(days, `${name} ${chosen.resourceType}/${chosen.id} answers ${status}`);
  days.world.remotes[name].failing.set(`${chosen.resourceType}/${chosen.id}`, status);
}

function workAgain(days: MergeDays): void {
  const { failing } = days.world.remotes[server(days)];
  const chosen = pick(days.random, [...failing.keys()]);
  if (chosen !== undefined) failing.delete(chosen);
}

function late(days: MergeDays): void {
  const remote = days.world.remotes[server(days)];
  // Within what the vendor file allows for; beyond it no client could know.
  remote.lateness = remote.lateness === 0 ? 8_000 : 0;
}

async function crash(days: MergeDays): Promise<void> {
  const { world } = days;
  const name = server(days);
  const bomb = new Bomb(1 + Math.floor(days.random() * 40), chance(days, 0.5) ? 'before' : 'after', chance(days, 0.6));
  world.start(bomb);
  await (chance(days, 0.5) ? world.sync.pullNow(name) : world.sync.pushNow(name));
  if (bomb.exploded) days.crashes += 1;
  world.start();
}

/** A person says who a record is: as it is, or what comes to mind. */
async function answer(days: MergeDays): Promise<void> {
  const open = (await days.world.sync.matches(undefined, true)).sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const question = pick(days.random, open);
  if (question) await answerOne(days, question, !days.isRight && chance(days, 0.2));
}

const orderOf = ({ connection, remoteId, localId }: AskedQuestion) => `${connection} ${remoteId} ${localId}`;

/** The id was given to somebody else and Baton has not heard of it: of whom it is by now nobody can be asked. */
async function isShownAnother({ world, people }: MergeDays, { connection, remoteId }: AskedQuestion, person: Person) {
  const sql = "SELECT body FROM held_resource WHERE connection = ? AND type = 'Patient' AND remote_id = ?";
  const [held] = await world.store.query(sql, [connection, remoteId]);
  const shown = held && (JSON.parse(String(held.body)) as Patient).name?.[0]?.given?.[0];
  return shown !== undefined && !people.areOne(shown, person);
}

async function answerOne(days: MergeDays, question: AskedQuestion, isMistaken: boolean): Promise<void> {
  const { world, people, random } = days;
  const { connection, remoteId, candidates } = question;
  const person = people.ofRecord(connection as ServerName, remoteId) ?? '';
  if (await isShownAnother(days, question, person)) return;
  const isIt = (localId: string) => people.ofRecord('here', localId) === person;
  const same = candidates.filter(({ localId }) => (isMistaken ? !isIt(localId) : isIt(localId)));
  const [chosen] = same;
  const not = pick(random, ['new', 'apart'] as const) ?? 'new';
  const decision: MatchDecision = chosen ? { decision: 'link', to: chosen.localId } : { decision: not };
  const about = `${connection} ${remoteId} (${person}) asked for ${candidates.map(({ localId, why }) => `${localId} ${why}`)}`;
  note(days, `${about}: ${JSON.stringify(decision)}`);
  days.answers += 1;
  if (chosen) people.unite(person, people.ofRecord('here', chosen.localId) ?? '');
  const say = (said: MatchDecision) => world.sync.decideMatch(NURSE, question.id, said);
  try {
    await say(decision);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'unprocessable') throw error;
    // Another of ours has it.
    const next: MatchDecision =
      decision.decision === 'link' && chance(days, 0.5) ? { ...decision, merge: true } : { decision: 'apart' };
    note(days, `${error.message} ${JSON.stringify(next)}`);
    await say(next);
    const holder = await world.store.query(
      "SELECT local_id FROM identity WHERE connection = ? AND type = 'Patient' AND remote_id = ? AND state <> 'replaced'",
      [connection, remoteId],
    );
    const other = people.ofRecord('here', String(holder[0]?.local_id));
    if (chosen && 'merge' in next && other) people.unite(other, person);
  }
  if (decision.decision === 'link') days.merged.add(person);
}

/** What else a person is asked. */
async function decide(days: MergeDays): Promise<void> {
  const { world, people, random } = days;
  const conflicts = (await world.sync.conflicts()).filter(({ kind }) => kind === 'content' || kind === 'deleted');
  const conflict = pick(
    random,
    conflicts.sort((a, b) => (`${a.connection} ${a.localId}` < `${b.connection} ${b.localId}` ? -1 : 1)),
  );
  if (!conflict) return;
  const kinds = conflict.kind === 'content' ? (['ours', 'theirs', 'proposed'] as const) : (['ours', 'theirs'] as const);
  const resolution: Resolution = { take: pick(random, kinds) ?? 'ours' };
  const paths = conflict.paths.map(({ path }) => path);
  note(days, `${conflict.connection} ${conflict.localId} ${conflict.kind} ${paths}: ${resolution.take}`);
  try {
    const tag = (await world.sync.conflict(conflict.id)).tag;
    await world.sync.resolve(NURSE, conflict.id, resolution, tag);
  } catch (error) {
    note(days, (error as Error).message);
    return;
  }
  days.answers += 1;
  if (resolution.take !== 'theirs' || conflict.kind !== 'content' || !conflict.remoteBody) return;
  // All of it is about whom it is about there, as this person says.
  const theirs = resourceOf(conflict.remoteBody) as Patient | Paper;
  if (theirs.resourceType === 'Patient') return;
  people.alsoAbout(wordsIn(theirs), people.about(conflict.connection as ServerName, theirs));
}

/** Everything works again and every question is answered, until nothing moves any more. */
async function comeToRest(days: MergeDays): Promise<string[]> {
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
    if (rounds > 4 && (await isQuiet(days))) return [];
    for (const question of await world.sync.matches(undefined, true)) {
      const isOpen = (await world.sync.matches(undefined, true)).some(({ id }) => id === question.id);
      if (isOpen) await answerOne(days, question, false);
    }
    for (let answers = 0; answers < 5; answers += 1) await decide(days);
  }
  return [`It does not come to rest: ${JSON.stringify(await world.sync.status())}`];
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
async function goOn(days: MergeDays): Promise<string[]> {
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
