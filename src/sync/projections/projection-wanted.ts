// What would be sent of a source as it is now; also for those who want to see it before.

import type { JsonObject } from '../../fhir/canonical-json.ts';
import { planDocument } from '../../fhir/care-plan-document/plan-document.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { projectedBody, type Wanted, withoutData } from './projection-body.ts';
import { readersOf } from './projection-readers.ts';
import { type Collected, collect } from './projection-record.ts';
import { fittingTarget } from './projection-target.ts';

/** @param patient remote id of the patient */
export async function wantedFrom(
  context: RunContext,
  collected: Collected,
  patient: string,
  target: ProjectionTarget,
): Promise<Wanted> {
  const { record, labels } = collected;
  const { focus } = record;
  return {
    document: planDocument(record),
    labels,
    patient,
    status: focus.resourceType === 'CarePlan' && focus.status === 'revoked' ? 'superseded' : 'current',
    focus,
    readers: target === 'Communication' ? await readersOf(context, record) : [],
  };
}

/**
 * The body that a change would be sent as, documents' data left out; undefined while it could not be sent, because its
 * patient is not known there or withheld.
 */
export async function previewProjection(
  context: RunContext,
  stored: StoredVersion,
  asked: ProjectionTarget,
): Promise<JsonObject | undefined> {
  const target = fittingTarget(context, asked, parseBody(stored.content));
  const collected = await collect(context, stored);
  const { patient, isPatientWithheld } = collected;
  if (target === undefined || patient === undefined || isPatientWithheld) return undefined;
  const link = await readLink(context.store, context.connection.name, 'Patient', patient);
  if (!link) return undefined;
  const wanted = await wantedFrom(context, collected, link.remoteId, target);
  const source = { type: stored.type, id: stored.id };
  return withoutData(
    await projectedBody(context, wanted, { connection: context.connection.name, source, number: 1, target }),
  );
}
