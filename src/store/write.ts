// Third phase of a commit: one change becomes a row of the log, the current row and search rows.
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { stringifyExact } from '../fhir/exact-json.ts';
import { removeConsentRules, writeConsentRules } from './consent/rule-rows.ts';
import type { Group } from './group.ts';
import type { Step } from './step.ts';
import type { Actor } from './store.ts';
import { stamped } from './stored.ts';
import { tableOf } from './table.ts';

const VERSION = tableOf(
  'version',
  'one-forever',
  'sequence bigint, type text, id text, version bigint, updated bigint, operation text, actor text, origin text, content text, kind text, client text',
);
const RESOURCE_COLUMNS =
  'rid bigint, type text, id text, version bigint, sequence bigint, updated bigint, deleted bigint, content text, patients text';
const RESOURCE = tableOf('resource', 'one', RESOURCE_COLUMNS, ['type', 'id']);
/** Of what was there and stays. SQLite only, whose rows are written at once: elsewhere the last of either would not be known. */
const STAYING = tableOf('resource', 'one', RESOURCE_COLUMNS, ['type', 'id', 'deleted']);

/**
 * Stamps, validates and stores the content of a create or update as current, and indexes it. Run again after conditional
 * references have been resolved, it replaces what it wrote.
 * @throws Fault invalid | unprocessable
 */
export async function writeCurrent(group: Group, step: Step): Promise<void> {
  const { tx, rules } = group;
  const again = step.updated > 0;
  const resource = stampedResource(group, step, again);
  // A conditional reference says its type, so resolving it cannot make a valid resource invalid.
  if (!again) refuseInvalid(rules.validate(resource));
  step.content = stringifyExact(resource);
  const isNew = step.current === undefined && !again;
  if (isNew) step.rid = step.sequence;
  const fresh = !again && (step.current === undefined || step.current.deleted);
  // Written a second time it is compared with nothing: what is indexed then is what this commit made of it at first.
  step.patients = await rules.searchEngine.index(tx, step.rid, resource, {
    fresh,
    before: again ? undefined : step.before,
    patients: step.current?.patients,
  });
  await putCurrent(group, step, isNew);
  await writeConsentRules(tx, step.rid, resource, rules.searchEngine.baseUrl, fresh);
}

/** Appends the change to the log. */
export async function writeVersion(group: Group, actor: Actor, step: Step): Promise<void> {
  const { sequence, type, id, version, updated, content } = step;
  // The log holds what a resource became; that a patch asked for it is in the audit trail.
  const op = step.op === 'patch' ? 'update' : step.op;
  const origin = actor.origin ?? null;
  const { reference, kind, client = null } = actor;
  const row = [sequence, type, id, version, updated, op, reference, origin, content, kind, client];
  await group.tx.put(VERSION, sequence, [row], true);
}

/** Marks the resource as deleted, in the log too, and takes it out of search. */
export async function removeCurrent(group: Group, actor: Actor, step: Step): Promise<void> {
  nextPosition(group, step);
  const [found] = await group.rules.searchEngine.patientsOf(group.tx, step.type, [step.id]);
  step.patients = found?.patients ?? [];
  await putCurrent(group, step, false);
  await group.rules.searchEngine.unindex(group.tx, step.rid);
  await removeConsentRules(group.tx, step.rid, step.type);
  await writeVersion(group, actor, step);
}

async function putCurrent(group: Group, step: Step, isNew: boolean): Promise<void> {
  const { rid, type, id, version, sequence, updated, content } = step;
  const deleted = step.op === 'delete';
  const patients = step.patients?.join(' ') ?? null;
  const row = [rid, type, id, version, sequence, updated, deleted ? 1 : 0, content, patients];
  const stays = group.tx.dialect === 'sqlite' && !deleted && step.current?.deleted === false;
  await group.tx.put(stays ? STAYING : RESOURCE, rid, [row], isNew);
  group.current.set({ rid, type, id, version, sequence, updated, deleted, patients: step.patients });
}

function stampedResource(group: Group, step: Step, again: boolean): Resource {
  if (!step.resource) throw new Error('A create or update has a resource.');
  if (!again) nextPosition(group, step);
  return stamped(step.resource, step.id, step.version, step.updated);
}

function nextPosition(group: Group, step: Step): void {
  group.sequence += 1;
  step.sequence = group.sequence;
  step.version += 1;
  step.updated = group.now;
}

function refuseInvalid(issues: readonly OperationOutcomeIssue[]): void {
  if (issues.length === 0) return;
  const errors = issues.filter((issue) => issue.severity === 'error' || issue.severity === 'fatal');
  if (errors.length === 0) return;
  const kind = errors.every((issue) => issue.code === 'structure') ? 'invalid' : 'unprocessable';
  const [first] = errors;
  const sentence = first?.details?.text ?? first?.diagnostics ?? 'The resource is not valid.';
  throw new Fault(kind, sentence, { issues: errors });
}
