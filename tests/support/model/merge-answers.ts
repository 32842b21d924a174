// What persons say in worlds of random merges: who somebody is, and which words hold.
import type { Patient } from '@medplum/fhirtypes';
import { Fault } from '../../../src/fault.ts';
import { resourceOf } from '../../../src/sync/body.ts';
import type { Resolution } from '../../../src/sync/conflicts/resolve.ts';
import type { MatchDecision } from '../../../src/sync/patients/decide-match.ts';
import type { AskedQuestion } from '../../../src/sync/patients/identity-question.ts';
import { NURSE } from '../sync-world.ts';
import { pick } from './acts.ts';
import { chance, type MergeDays, note } from './merge-world.ts';
import { type Paper, type Person, wordsIn } from './people.ts';
import type { ServerName } from './two-servers.ts';

/** A person says who a record is: as it is, or what comes to mind. */
export async function answer(days: MergeDays): Promise<void> {
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

export async function answerOne(days: MergeDays, question: AskedQuestion, isMistaken: boolean): Promise<void> {
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
export async function decide(days: MergeDays): Promise<void> {
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
