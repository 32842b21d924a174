// A patch while it is being committed: the next content is made from the current one here, where no other writer can come
// between. https://hl7.org/fhir/R4/http.html#patch
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { parseExact, sameExact, stringifyExact } from '../fhir/exact-json.ts';
import { checkVersion } from './check-version.ts';
import { isHidden } from './enforce-guard.ts';
import type { Group } from './group.ts';
import type { Guard } from './guard.ts';
import { matchOne } from './match.ts';
import { newStep, type Step } from './step.ts';
import { currentVersion } from './stored.ts';

const CONTENT =
  'SELECT rid, type, id, version, sequence, updated, deleted, content FROM resource WHERE type = ? AND id = ?';

/** @throws Fault not-found | gone | precondition | multiple-matches, and what `revise` throws */
export async function identifyPatch(
  group: Group,
  change: Extract<Change, { op: 'patch' }>,
  guard: Guard | undefined,
): Promise<Step> {
  const { type, query, ifMatch, revise, evenIfSame = false } = change;
  const id = query === undefined ? change.id : (await matchOne(group, type, query, 'a conditional patch', guard))?.id;
  if (id === undefined) throw new Fault('not-found', `No ${type} matches the criteria of the conditional patch.`);
  const hidden = await isHidden(group, guard, 'patch', type, id);
  const current = hidden ? undefined : await group.current.find(type, id);
  if (!current) throw new Fault('not-found', `There is no ${type}/${id} to patch.`);
  if (current.deleted) throw new Fault('gone', `${type}/${id} was deleted; a patch cannot bring it back.`);
  checkVersion(type, id, current, ifMatch);
  const [row] = await group.tx.all(CONTENT, [type, id]);
  if (!row) throw new Error('A current resource has a row.');
  const content = String(row.content);
  const resource = revise(parseExact(content));
  if (evenIfSame || !sameExact(stringifyExact(resource), content))
    return newStep({ op: 'patch', type, id, current, resource });
  return newStep({ op: 'patch', type, id, current, match: currentVersion(row), writes: false });
}
