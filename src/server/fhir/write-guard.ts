// What a grant lets a commit see, touch and make. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { decide, type Interaction, reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import type { Lane } from '../../access/narrowing.ts';
import type { Change } from '../../fhir/change.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { existenceQuery, withId } from '../../fhir/search/existence.ts';
import type { Condition } from '../../fhir/search/query.ts';
import type { Guard } from '../../store/guard.ts';
import { typeOf } from './authorize-change.ts';
import type { FhirContext } from './context.ts';
import { typesLookedInto } from './narrow.ts';
import { patientsOf, reachOf, reachOfKept, tryReach, withinLanes } from './reach.ts';
import { unbound } from './withheld.ts';

const NOBODY: Condition = { kind: 'id', ids: [], negated: false };

/**
 * Undefined when the grant reaches all of every type that is changed or looked for.
 * @param releases what is written may leave the patients of the writer's roles, as when a case is closed
 */
export function guardOf(
  context: FhirContext,
  grant: Grant,
  changes: readonly Change[],
  releases = false,
): Guard | undefined {
  const isFree = changes.every((change) => {
    const type = typeOf(change);
    const isConditional = (change.op === 'create' ? change.ifNoneExist : change.query) !== undefined;
    const isTelling = change.op === 'patch' && change.tellsContent;
    return (
      reachesAll(grant, change.op, type) &&
      !(change.op === 'patch' && grant.asker) &&
      (!isConditional || reachesAll(grant, 'search-type', type)) &&
      (!isTelling || reachesAll(grant, 'read', type))
    );
  });
  if (isFree) return undefined;
  const reveals = new Set(
    changes.flatMap((change) => (change.op === 'patch' && change.tellsContent ? change.type : [])),
  );
  const base = `${context.base()}/`;
  return {
    before(op, type) {
      if (op !== 'patch') return reachOf(context, grant, op, type);
      const reach = reachOfKept(context, grant, type);
      if (!reveals.has(type)) return reach;
      const readable = reachOf(context, grant, 'read', type);
      return reach && readable ? { kind: 'all', of: [reach, readable] } : (reach ?? readable);
    },
    after(op, type, isNew) {
      if (isNew && type === 'Patient') return reachOfNewPatient(context, grant, op);
      return releases ? reachOfReleased(context, grant, op, type) : reachOf(context, grant, op, type);
    },
    telling(type) {
      const reach = tryReach(context, grant, 'read', type);
      return reach === 'none' ? NOBODY : reach === 'all' ? undefined : reach;
    },
    // A consent may keep a resource from its writer, but must not make the writer store it twice.
    matching: (type, byIdentifier) => reachOf(context, byIdentifier ? unbound(grant) : grant, 'search-type', type),
    patients: (op, type) => patientsWithin(context, grant, op, type),
    open: (type) => openPatients(context, grant, type),
    offered: (type) => offeredBySelf(context, grant, type),
    patientIn(reference) {
      const literal = parseLiteral(reference.startsWith(base) ? reference.slice(base.length) : reference);
      return literal?.type === 'Patient' ? literal.id : undefined;
    },
  };
}

/** Nobody is known yet who is being registered, whatever else the same commit says of them. */
function reachOfNewPatient(context: FhirContext, grant: Grant, op: Interaction): Condition | undefined {
  const narrowing = decide(grant, op, 'Patient');
  if (!narrowing) return undefined;
  const lanes = narrowing.lanes.filter(({ role }) => role?.patients === undefined);
  return lanes.length === 0 ? NOBODY : withinLanes(context, 'Patient', lanes);
}

/** Of whomever: that it is about the writer's patients is asked before it is written, by `before` and `patients`. */
function reachOfReleased(context: FhirContext, grant: Grant, op: Interaction, type: string): Condition | undefined {
  const lanes = decide(grant, op, type)?.lanes.map(({ role: { patients: _, ...role } = {}, ...lane }) => ({
    ...lane,
    role,
  }));
  return lanes && withinLanes(context, type, lanes);
}

/**
 * By the roles alone: what emergency access has opened closes again, so that it must not be kept open by a write. A record
 * that somebody may add to but not read is not open; one that may only be read, as a closed case, is open to reading alone.
 */
function openPatients(context: FhirContext, { standing }: Grant, type: string): Condition[] {
  const read = standing?.rules.filter(({ may }) => may.has('r') || may.has('s')) ?? [];
  const written = read.filter(({ may }) => may.has('c') || may.has('u') || may.has('d'));
  const levels = [read, written].map((rules) => new Set(rules.flatMap(({ patients = [] }) => patients)));
  const [readable, writable] = levels;
  const told = readable?.size === writable?.size ? levels.slice(0, 1) : levels;
  return told.flatMap((sets) => {
    if (sets.size === 0) return [];
    const open = patientsOf(context, [...sets]);
    return type === 'Patient' || typesLookedInto(open).includes(type) ? [open] : [];
  });
}

/** What a rule of the writer's roles lets be updated by what the resource says, whoever it is about. */
function offeredBySelf(context: FhirContext, grant: Grant, type: string): Condition | undefined {
  const lanes = decide(grant, 'update', type)?.lanes.filter(({ role }) => role?.matching && !role.patients) ?? [];
  return lanes.length === 0 ? undefined : withinLanes(context, type, lanes);
}

/** Patients that what is written may be about; undefined: anybody. */
function patientsWithin(context: FhirContext, grant: Grant, op: Interaction, type: string): Condition | undefined {
  const lanes = decide(grant, op, type)?.lanes;
  if (!lanes?.every(isAboutPatients)) return undefined;
  return { kind: 'any', of: lanes.map((lane) => patientsOfLane(context, lane)) };
}

/** The scope of an application that names no patient binds what it writes, not whom that is about. */
const isAboutPatients = ({ patient, role }: Lane) => patient !== undefined || role !== undefined;

function patientsOfLane(context: FhirContext, { patient, role }: Lane): Condition {
  const of: Condition[] = [];
  if (patient !== undefined) of.push(withId(patient));
  if (role?.patients) of.push(patientsOf(context, role.patients));
  // A rule that goes by what the resource says, not by the patient, lets nobody move it to another patient.
  else if (role?.matching) of.push(NOBODY);
  return { kind: 'all', of };
}

/** Whether the content of what was written, or was there instead, may be shown. */
export async function mayShow(context: FhirContext, grant: Grant, type: string, id: string): Promise<boolean> {
  const reach = tryReach(context, grant, 'read', type);
  if (reach === 'all' || reach === 'none') return reach === 'all';
  const { items } = await context.store.search(existenceQuery(type, [withId(id), reach]));
  return items.length > 0;
}
