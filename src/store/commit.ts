// One commit inside an open transaction: the meaning of a FHIR transaction, written once for every engine.
// https://hl7.org/fhir/R4/http.html#transaction
import { applyStatements } from './alongside.ts';
import type { AuditEntry } from './audit-entry.ts';
import { refusedRevision } from './check-revisions.ts';
import { closedTo, refuseOpening, refuseOutside, refuseStrangers } from './enforce-guard.ts';
import type { Group, Unit } from './group.ts';
import { identify, refuseOverlaps } from './identify.ts';
import { formatInstant } from './instant.ts';
import { linkAll, resolveConditional } from './link.ts';
import type { Step } from './step.ts';
import type { Actor, Outcome } from './store.ts';
import { refuseNewer } from './unless-newer.ts';
import { refuseWritten } from './unless-written.ts';
import { removeCurrent, writeCurrent, writeVersion } from './write.ts';

/**
 * Carries out one unit. When it throws, the caller rolls back to where it began.
 * @throws Fault invalid | unprocessable | conflict | precondition | multiple-matches | forbidden | not-found
 */
export async function commitUnit(group: Group, unit: Unit): Promise<Outcome[]> {
  if (unit.unlessNewer) await refuseNewer(group, unit.unlessNewer);
  if (unit.unlessWritten) await refuseWritten(group, unit.unlessWritten);
  const steps: Step[] = [];
  for (const change of unit.changes) steps.push(await identify(group, change, steps, unit.guard));
  if (steps.length > 1) refuseOverlaps(steps);
  await linkAll(group, steps, unit);
  if (unit.guard) await refuseStrangers(group, steps, unit.guard);
  const refused = await refusedRevision(group, steps, unit);
  const closed = unit.guard ? await closedTo(group, steps, unit.guard) : [];
  await writeAll(group, unit.actor, steps);
  if (unit.guard) await refuseOutside(group, steps, unit.guard);
  await refuseOpening(group, closed);
  // Told last: who may not make the change at all learns that, and nothing of what is stored.
  if (refused) throw refused;
  const outcomes = steps.map(outcomeOf);
  const { alongside } = unit;
  await applyStatements(group.tx, typeof alongside === 'function' ? alongside(outcomes) : alongside);
  for (const [index, step] of steps.entries()) {
    group.audit.push(auditOf(group, unit.actor, step, outcomes[index] as Outcome));
  }
  return outcomes;
}

/** DELETE, then POST, then PUT and PATCH; the order of the entries does not matter. https://hl7.org/fhir/R4/http.html#trules */
async function writeAll(group: Group, actor: Actor, steps: readonly Step[]): Promise<void> {
  for (const step of steps) if (step.op === 'delete' && step.writes) await removeCurrent(group, actor, step);
  const isChange = ({ op }: Step) => op === 'update' || op === 'patch';
  const ordered = [...steps.filter((step) => step.op === 'create'), ...steps.filter(isChange)];
  const writing = ordered.filter((step) => step.writes);
  const waiting = writing.filter((step) => step.conditional.length > 0);
  // A conditional reference may match what this commit itself creates, so those are searchable before it is resolved.
  if (waiting.length > 0) {
    for (const step of writing) await writeCurrent(group, step);
    await resolveConditional(group, waiting);
    for (const step of waiting) await writeCurrent(group, step);
    for (const step of writing) await writeVersion(group, actor, step);
    return;
  }
  for (const step of writing) {
    await writeCurrent(group, step);
    await writeVersion(group, actor, step);
  }
}

function outcomeOf(step: Step): Outcome {
  const { type, id } = step;
  if (!step.writes) {
    const found = step.twin ? outcomeOf(step.twin) : step.match;
    return {
      status: step.op === 'delete' ? 204 : 200,
      written: false,
      type,
      id,
      versionId: found?.versionId ?? '',
      lastUpdated: found?.lastUpdated ?? '',
      content: step.op === 'delete' ? '' : (found?.content ?? ''),
    };
  }
  const existed = step.current !== undefined && !step.current.deleted;
  return {
    status: step.op === 'delete' ? 204 : existed ? 200 : 201,
    written: true,
    type,
    id,
    versionId: String(step.version),
    lastUpdated: formatInstant(step.updated),
    content: step.content,
  };
}

/** Of what was not written they are found when the record is. */
function patientsOf({ patients, twin }: Step): Pick<AuditEntry, 'patients'> {
  const known = patients ?? twin?.patients;
  return known === undefined ? {} : { patients: known };
}

const ACTIONS = { create: 'C', update: 'U', patch: 'U', delete: 'D' } as const;

function auditOf(group: Group, actor: Actor, step: Step, outcome: Outcome): AuditEntry {
  return {
    recorded: group.now,
    actor,
    interaction: step.op,
    action: ACTIONS[step.op],
    status: outcome.status,
    type: step.type,
    id: step.id,
    ...(outcome.versionId === '' ? {} : { version: Number(outcome.versionId) }),
    ...patientsOf(step),
  };
}
