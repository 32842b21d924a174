// Reads a record by its id. A server may lead to the patient's record in use instead of showing the one that it merged into
// that, as Epic does; then this is what the old one would say. docs/sync-spec.md#I8
import type { Patient } from '@medplum/fhirtypes';
import type { FhirClient } from '../../remote/fhir-client.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import { type Result, success } from '../../remote/result.ts';

/** A success only with the record of this id. */
export async function readRecord(
  client: Pick<FhirClient, 'read'>,
  type: string,
  id: string,
): Promise<Result<FhirReply>> {
  const reply = await client.read(type, id, { mayLead: type === 'Patient' });
  if (!reply.ok) return reply;
  const { versionId: _ofTheOther, body, ...rest } = reply.value;
  if (body?.id === undefined || body.id === id) return reply;
  const link: Patient['link'] = [{ type: 'replaced-by', other: { reference: `Patient/${body.id}` } }];
  return success({ ...rest, body: { resourceType: 'Patient', id, active: false, link } });
}
