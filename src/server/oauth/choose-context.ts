// Choosing the patient, and the encounter when the application asks for one.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../../fault.ts';
import { accountOf, finish, type OpenInteraction, send, signedInActor } from './interaction.ts';
import { encounterPage, patientPage } from './pages.ts';
import type { OauthParts } from './parts.ts';

type Form = Readonly<Record<string, string | undefined>>;

export async function showContext(
  parts: OauthParts,
  open: OpenInteraction,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { fhirUser } = await accountOf(parts, open);
  const only = await parts.server.directory.onlyPatientOf(fhirUser);
  if (only !== undefined) return showEncounters(parts, open, fhirUser, only, reply);
  return send(reply, patientPage(open.frame, undefined));
}

export async function answerContext(
  parts: OauthParts,
  open: OpenInteraction,
  { text, patient, encounter }: Form,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { directory } = parts.server;
  const { fhirUser } = await accountOf(parts, open);
  if (patient === undefined) {
    const asked = text?.slice(0, 200) ?? '';
    const found = await directory.findPatients(fhirUser, asked);
    record(parts, open, request, fhirUser, 'search-type', 200, { query: `text=${encodeURIComponent(asked)}` });
    return send(reply, patientPage(open.frame, { text: asked, ...found }));
  }
  const may = await directory.mayOpen(fhirUser, patient);
  record(parts, open, request, fhirUser, 'read', may ? 200 : 403, { id: patient.slice(0, 64) });
  if (!may) throw new Fault('forbidden', 'You may not open this patient.');
  if (!open.scope.includes('launch/encounter')) return finish(parts, request, reply, { context: { patient } });
  if (encounter === undefined) return showEncounters(parts, open, fhirUser, patient, reply);
  if (encounter === '') return finish(parts, request, reply, { context: { patient } });
  if (!(await directory.isEncounterOf(patient, encounter)))
    throw new Fault('invalid', 'This is no encounter of theirs.');
  return finish(parts, request, reply, { context: { patient, encounter } });
}

async function showEncounters(
  { server }: OauthParts,
  { frame }: OpenInteraction,
  fhirUser: string,
  patientId: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const patient = (await server.directory.mayOpen(fhirUser, patientId))
    ? await server.directory.describe(patientId)
    : undefined;
  if (!patient) throw new Fault('not-found', 'The patient is not there any more.');
  return send(reply, encounterPage(frame, patient, await server.directory.encountersOf(fhirUser, patientId)));
}

/** Names of patients were shown: that is in the trail as any search and read is. */
function record(
  { store }: OauthParts,
  { client }: OpenInteraction,
  request: FastifyRequest,
  fhirUser: string,
  interaction: 'read' | 'search-type',
  status: number,
  more: { readonly id?: string; readonly query?: string },
): void {
  const actor = signedInActor(request, fhirUser, client.clientId);
  store.audit({ actor, interaction, action: 'R', status, type: 'Patient', ...more });
}
