// First phase of a commit: which resource is each change about? Conditional interactions are matched here, preconditions
// are checked, and two changes of one resource are refused. https://hl7.org/fhir/R4/http.html#cond-update
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { checkAbsent, checkVersion } from './check-version.ts';
import { isHidden } from './enforce-guard.ts';
import type { Group } from './group.ts';
import type { Guard } from './guard.ts';
import { identifyPatch } from './identify-patch.ts';
import { matchOne } from './match.ts';
import { newId } from './new-id.ts';
import { type CurrentRow, newStep, type Step } from './step.ts';
import { currentVersion } from './stored.ts';

type Create = Extract<Change, { op: 'create' }>;
type Update = Extract<Change, { op: 'update' }>;
type Delete = Extract<Change, { op: 'delete' }>;

const ID = /^[A-Za-z0-9\-.]{1,64}$/;

/**
 * @param earlier the steps of the changes before this one in the same commit
 * @throws Fault invalid | conflict | precondition | multiple-matches; not-found, gone and what `revise` throws for patches
 */
export async function identify(
  group: Group,
  change: Change,
  earlier: readonly Step[],
  guard: Guard | undefined,
): Promise<Step> {
  if (change.op === 'create') return identifyCreate(group, change, earlier, guard);
  if (change.op === 'update') return identifyUpdate(group, change, guard);
  return change.op === 'patch' ? identifyPatch(group, change, guard) : identifyDelete(group, change, guard);
}

async function identifyCreate(
  group: Group,
  change: Create,
  earlier: readonly Step[],
  guard: Guard | undefined,
): Promise<Step> {
  const { resource, fullUrl, ifNoneExist } = change;
  const type = resource.resourceType;
  const base = { op: 'create', type, fullUrl, criteria: ifNoneExist } as const;
  if (ifNoneExist !== undefined) {
    const match = await matchOne(group, type, ifNoneExist, 'If-None-Exist', guard);
    if (match) return newStep({ ...base, id: match.id, match, writes: false });
    const twin = earlier.find(
      (step) => step.op === 'create' && step.writes && step.type === type && step.criteria === ifNoneExist,
    );
    if (twin) return newStep({ ...base, id: twin.id, twin, writes: false });
  }
  if (change.id === undefined) return newStep({ ...base, id: newId(), resource });
  requireId(change.id, type);
  if (await group.current.find(type, change.id)) {
    throw new Fault('conflict', `${type}/${change.id} exists already; a create cannot take its id.`);
  }
  return newStep({ ...base, id: change.id, resource });
}

async function identifyUpdate(group: Group, change: Update, guard: Guard | undefined): Promise<Step> {
  const { resource, fullUrl, ifMatch, query } = change;
  const type = resource.resourceType;
  const match = query === undefined ? undefined : await matchOne(group, type, query, 'a conditional update', guard);
  if (match && resource.id !== undefined && resource.id !== match.id) {
    throw new Fault('invalid', `The conditional update matched ${type}/${match.id}, but its body has another id.`, {
      expression: `${type}.id`,
    });
  }
  const id = match?.id ?? resource.id;
  if (id === undefined && query === undefined) {
    throw new Fault('invalid', `An update needs the id of the ${type} it is for.`, {
      expression: `${type}.id`,
      code: 'required',
    });
  }
  if (id === undefined) {
    checkVersion(type, 'the matched resource', undefined, ifMatch);
    return newStep({ op: 'update', type, id: newId(), fullUrl, resource, criteria: query });
  }
  requireId(id, type);
  // Who reaches only a part of the type cannot choose ids: whether one is taken would tell what else there is.
  if (await isHidden(group, guard, 'update', type, id)) throw new Fault('not-found', `There is no ${type}/${id}.`);
  const current = await group.current.find(type, id);
  if (query !== undefined && !match && current && !current.deleted) {
    throw new Fault('conflict', `${type}/${id} exists, but it does not match the criteria of the conditional update.`);
  }
  checkVersion(type, id, current, ifMatch);
  if (change.ifAbsent) checkAbsent(type, id, current);
  const before = stillCurrent(change, current);
  return newStep({ op: 'update', type, id, fullUrl, current, before, resource, criteria: match ? undefined : query });
}

/** What the caller has read, unless it has become another version since. */
function stillCurrent({ before, resource }: Update, current: CurrentRow | undefined): Resource | undefined {
  if (before?.resourceType !== resource.resourceType || before.id !== resource.id) return undefined;
  return before.meta?.versionId === String(current?.version) && !current?.deleted ? before : undefined;
}

async function identifyDelete(group: Group, change: Delete, guard: Guard | undefined): Promise<Step> {
  const { type, ifMatch, query } = change;
  const id = query === undefined ? change.id : (await matchOne(group, type, query, 'a conditional delete', guard))?.id;
  if (id === undefined) {
    if (query === undefined) throw new Fault('invalid', `A delete needs the id of the ${type}.`, { code: 'required' });
    checkVersion(type, 'the matched resource', undefined, ifMatch);
    return newStep({ op: 'delete', type, id: '', writes: false });
  }
  const hidden = await isHidden(group, guard, 'delete', type, id);
  const current = hidden ? undefined : await group.current.find(type, id);
  checkVersion(type, id, current, ifMatch);
  if (!current) return newStep({ op: 'delete', type, id, writes: false });
  if (current.deleted) {
    const match = currentVersion({ ...current, deleted: 1, content: '', patients: null });
    return newStep({ op: 'delete', type, id, current, match, writes: false });
  }
  return newStep({ op: 'delete', type, id, current });
}

/**
 * Refuses a commit in which two changes are about one resource, a conditional create that matched one included when
 * another change deletes it. @throws Fault invalid
 */
export function refuseOverlaps(steps: readonly Step[]): void {
  const written = new Map<string, Step>();
  for (const step of steps) {
    if (step.id === '' || (!step.writes && step.op === 'create')) continue;
    const key = `${step.type}/${step.id}`;
    if (written.has(key)) throw new Fault('invalid', `Two changes of one transaction are about ${key}.`);
    written.set(key, step);
    if (step.criteria === undefined) continue;
    const criteria = `${step.type}?${step.criteria}`;
    if (written.has(criteria)) {
      throw new Fault(
        'invalid',
        `Two changes of one transaction are about one ${step.type}: their criteria are equal.`,
      );
    }
    written.set(criteria, step);
  }
  for (const step of steps) {
    if (step.writes || step.op !== 'create') continue;
    if (written.get(`${step.type}/${step.id}`)?.op === 'delete') {
      throw new Fault(
        'invalid',
        `A conditional create matched ${step.type}/${step.id}, which the transaction deletes.`,
      );
    }
  }
}

function requireId(id: string, type: string): void {
  if (ID.test(id)) return;
  throw new Fault('invalid', 'An id has 1 to 64 characters out of A-Z, a-z, 0-9, - and .', {
    expression: `${type}.id`,
    code: 'value',
  });
}
