// Why a follow-up does not go its way: the sweep fails at it, nobody could be told of it, or whose it is has left.
import type { Task } from '@medplum/fhirtypes';
import { findResources } from '../../care/stored.ts';
import { hasLeft } from '../../care/team/has-left.ts';
import type { Clock } from '../../clock.ts';
import { isTerminal } from '../../fhir/status/task.ts';
import type { Store } from '../../store/store.ts';

/** Messages that no channel has delivered are looked through up to so many, the newest first. */
const MOST_UNDELIVERED = 500;

/** Sentences by id of the Task; none for those that are well or have ended. */
export async function failingAmong(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  tasks: readonly Task[],
): Promise<Map<string, string>> {
  const open = tasks.filter(({ status }) => !isTerminal(status));
  if (open.length === 0) return new Map();
  const [swept, untold] = await Promise.all([sweptInVain(store, open), undelivered(store)]);
  const gone = new Set<string>();
  const owners = new Set(open.flatMap(({ owner }) => owner?.reference ?? []));
  for (const reference of owners) {
    if (await hasLeft(store, { reference }, { now: clock.now(), zone: 'UTC' })) gone.add(reference);
  }
  return new Map(
    open.flatMap(({ id = '', owner }): [string, string][] => {
      const said = [
        ...(gone.has(owner?.reference ?? '')
          ? [`${owner?.reference} has left: backup or supervisor are told instead. Give it to somebody.`]
          : []),
        ...(untold.has(`Task/${id}`) ? ['A message about it could not be delivered to anybody.'] : []),
        ...(swept.get(id) ?? []),
      ];
      return said.length > 0 ? [[id, said.join(' ')]] : [];
    }),
  );
}

async function sweptInVain(store: Store, tasks: readonly Task[]): Promise<Map<string, string[]>> {
  const ids = tasks.flatMap(({ id }) => id ?? []);
  const sql = `SELECT task, reason FROM sweep_failure WHERE task IN (${ids.map(() => '?').join(', ')})`;
  const found = new Map<string, string[]>();
  for (const { task, reason } of await store.query(sql, ids)) {
    found.set(String(task), [...(found.get(String(task)) ?? []), `The sweep fails at it: ${reason}`]);
  }
  return found;
}

/** References of what the messages are about. */
async function undelivered(store: Store): Promise<Set<string>> {
  const sql = "SELECT request FROM notification WHERE state = 'undelivered' ORDER BY at DESC LIMIT ?";
  const rows = await store.query(sql, [MOST_UNDELIVERED]);
  if (rows.length === 0) return new Set();
  const ids = rows.map(({ request }) => String(request)).join(',');
  const told = await findResources(store, 'CommunicationRequest', { _id: ids });
  return new Set(told.flatMap(({ about = [] }) => about.flatMap(({ reference }) => reference ?? [])));
}
