// Third phase of a commit: one change becomes a row of the log, the current row and search rows.
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { Group } from './group.ts';
import type { Step } from './step.ts';
import type { Actor } from './store.ts';
import { stamped } from './stored.ts';

const INSERT_VERSION = `INSERT INTO version (sequence, type, id, version, updated, operation, actor, origin, content)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_RESOURCE = `INSERT INTO resource (rid, type, id, version, sequence, updated, deleted, content)
  VALUES (?, ?, ?, ?, ?, ?, 0, ?)`;
const UPDATE_RESOURCE =
  'UPDATE resource SET version = ?, sequence = ?, updated = ?, deleted = 0, content = ? WHERE rid = ?';
const DELETE_RESOURCE =
  "UPDATE resource SET version = ?, sequence = ?, updated = ?, deleted = 1, content = '' WHERE rid = ?";

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
  step.content = JSON.stringify(resource);
  if (step.current || again) {
    await tx.run(UPDATE_RESOURCE, [step.version, step.sequence, step.updated, step.content, step.rid]);
  } else {
    step.rid = step.sequence;
    const { rid, type, id, version, sequence, updated, content } = step;
    await tx.run(INSERT_RESOURCE, [rid, type, id, version, sequence, updated, content]);
  }
  const fresh = !again && (step.current === undefined || step.current.deleted);
  await rules.searchEngine.index(tx, step.rid, resource, fresh);
}

/** Appends the change to the log. */
export async function writeVersion(group: Group, actor: Actor, step: Step): Promise<void> {
  const { sequence, type, id, version, updated, op, content } = step;
  const origin = actor.origin ?? null;
  await group.tx.run(INSERT_VERSION, [sequence, type, id, version, updated, op, actor.reference, origin, content]);
}

/** Marks the resource as deleted, in the log too, and takes it out of search. */
export async function removeCurrent(group: Group, actor: Actor, step: Step): Promise<void> {
  nextPosition(group, step);
  await group.tx.run(DELETE_RESOURCE, [step.version, step.sequence, step.updated, step.rid]);
  await group.rules.searchEngine.unindex(group.tx, step.rid);
  await writeVersion(group, actor, step);
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
