// What servers say about who is who in worlds of random merges.
import type { Patient } from '@medplum/fhirtypes';
import { pick } from './acts.ts';
import { names, patientOf, renamed } from './merge-words.ts';
import {
  chance,
  type MergeDays,
  note,
  PERSONS,
  papersAt,
  papersHere,
  patientsAt,
  server,
  takenForFormer,
} from './merge-world.ts';
import { isClosed, type Kept, keyOf, namesIn, standsFor, wordsIn } from './people.ts';
import type { ServerName } from './two-servers.ts';

/** In whatever order searches come to show what the server does. */
export async function mergeThere(days: MergeDays): Promise<void> {
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
  // Into a record that nobody can see to be another's now is into that of the one before.
  const former = (await takenForFormer(days, name)).get(into.id);
  if (former !== undefined) people.unite(person, former);
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
    if (!names(paper, from.id) || !chance(days, share)) continue;
    people.putUnder(name, from.id, into.id, paper);
    put(renamed(paper, from.id, into.id), !lateFirst);
  }
  remote.lateness = lateness;
}

export function repointThere(days: MergeDays): void {
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
  days.people.putUnder(name, chosen.from, chosen.to, chosen.paper);
  days.world.remotes[name].put(renamed(chosen.paper, chosen.from, chosen.to));
}

export function unmergeThere(days: MergeDays): void {
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

/** An id that Baton has let go is given to somebody else: of a linked one it would be an edit. */
export async function giveAwayThere(days: MergeDays): Promise<void> {
  const { world, people, random } = days;
  if (!days.reusesIds) return;
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
  const isShown = (one: Kept) => !remote.failing.has(`${one.resourceType}/${one.id}`);
  const papers = papersAt(days, name).filter((paper) => names(paper, id));
  // What nobody has heard of, or what is not shown meanwhile, is from now on about whoever has the id.
  for (const paper of papers) if (!isKnown(paper) || !isShown(paper)) people.alsoAbout(wordsIn(paper), [person]);
  // So is what here names it by its URL, because it was nobody's.
  const url = `${remote.baseUrl}/Patient/${id}`;
  const unknown = (await papersHere(days)).filter((paper) => namesIn(paper).some(({ reference }) => reference === url));
  for (const paper of unknown) people.alsoAbout(wordsIn(paper), [person]);
  people.handOver(name, id, person, papers);
  // No search shows the record of the one before any more.
  remote.remove('Patient', id);
  remote.put(patientOf(days, id, person));
}

/** Those whose record is linked with nobody, nor is any that stands for it, or may be again by an answer. */
async function idsLetGo({ world }: MergeDays, name: ServerName): Promise<string[]> {
  const sql =
    "SELECT remote_id, replaced_by, state FROM identity WHERE connection = ? AND type = 'Patient' ORDER BY at";
  const rows = await world.store.query(sql, [name]);
  const asked = new Set((await world.sync.matches(undefined, true)).map(({ remoteId }) => remoteId));
  const isInUse = (id: string, seen: readonly string[] = []): boolean =>
    (seen.length > 0 && asked.has(id)) ||
    rows.some(({ remote_id, replaced_by, state }) => {
      if (remote_id !== id || seen.includes(id)) return false;
      if (state !== 'replaced') return seen.length === 0 || state !== 'tombstone';
      return replaced_by !== null && isInUse(String(replaced_by), [...seen, id]);
    });
  const ids = [...new Set(rows.map(({ remote_id }) => String(remote_id)))];
  return ids.filter((id) => !isInUse(id));
}
