// What would be sent of a source as it is now; also for those who want to see it before.

import type { JsonObject } from '../../fhir/canonical-json.ts';
import { planDocument } from '../../fhir/care-plan-document/plan-document.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { projectedBody, type Wanted, wantedHash, withoutData } from './projection-body.ts';
import { readersOf } from './projection-readers.ts';
import { type Collected, collect } from './projection-record.ts';
import { literalOf, nextNumber, type Projection, readProjections } from './projection-row.ts';
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

/** What a change would be sent as now, documents' data left out. */
export type ProjectionPreview =
  /** It could not be sent: nothing fits, its patient is not known there or withheld, or it is over and was never told. */
  | { readonly outcome: 'not-now' }
  | { readonly outcome: 'unchanged'; readonly current: Projection }
  | { readonly outcome: 'create'; readonly body: JsonObject; readonly replaces: Projection | undefined }
  | { readonly outcome: 'update'; readonly body: JsonObject; readonly current: Projection };

export async function previewProjection(
  context: RunContext,
  stored: StoredVersion,
  asked: ProjectionTarget,
): Promise<ProjectionPreview> {
  const target = fittingTarget(context, asked, parseBody(stored.content));
  const collected = await collect(context, stored);
  const { patient, isPatientWithheld } = collected;
  if (target === undefined || patient === undefined || isPatientWithheld) return { outcome: 'not-now' };
  const { store, connection, capability } = context;
  const link = await readLink(store, connection.name, 'Patient', patient);
  if (!link) return { outcome: 'not-now' };
  const source = { type: stored.type, id: stored.id };
  const rows = await readProjections(store, connection.name, source);
  const current = rows.find((row) => row.state === 'current' && row.target === target);
  const wanted = await wantedFrom(context, collected, link.remoteId, target);
  if (wanted.status === 'superseded' && !current) return { outcome: 'not-now' };
  if (current?.contentHash === wantedHash(wanted)) return { outcome: 'unchanged', current };
  const place = { connection: connection.name, source, target };
  if (current && capability.supports(target, 'update')) {
    const body = await projectedBody(context, wanted, { ...place, number: current.number });
    return { outcome: 'update', body: withoutData(body), current };
  }
  const replaces = current && literalOf(current);
  const fresh = { ...place, number: nextNumber(rows), replaces };
  const body = await projectedBody(context, { ...wanted, status: 'current' }, fresh);
  return { outcome: 'create', body: withoutData(body), replaces: current };
}
