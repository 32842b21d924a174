// POST /oauth/launch: whoever has a patient open (a user's own token) or may launch for others (`baton/launch`) starts an
// application on that patient. The answer is the address to open.
import type { FastifyInstance } from 'fastify';
import { decideDoor, mayActOn } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { ENDPOINTS } from '../../access/oauth/provider.ts';
import type { SmartContext } from '../../access/oauth/smart-context.ts';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { grantOf } from '../grant-of.ts';
import { acceptJson } from '../json-body.ts';
import type { OauthParts } from './parts.ts';

export async function serveLaunch(app: FastifyInstance, { server }: OauthParts): Promise<void> {
  const config = { interaction: 'launch', action: 'E' } as const;
  await app.register(async (scope) => {
    acceptJson(scope, ['application/json']);
    scope.post(ENDPOINTS.launch, { config }, async (request, reply) => {
      const grant = grantOf(request);
      const isUser = grant.actor.kind === 'user';
      if (!isUser) decideDoor(grant, 'baton/launch');
      const { client, context } = readLaunch(request.body);
      await checkContext(grant, isUser, context);
      const user = isUser ? { user: grant.actor.reference } : {};
      const made = await server.launches.make({ client, context, ...user });
      return reply.code(201).header('cache-control', 'no-store').send(made);
    });
  });

  /** @throws Fault forbidden | invalid */
  async function checkContext(grant: Grant, isUser: boolean, { patient, encounter }: SmartContext): Promise<void> {
    const { directory } = server;
    if (patient === undefined) return;
    const mayOpen = async () => mayActOn(grant, patient) && directory.mayOpen(grant.actor.reference, patient);
    if (isUser && !(await mayOpen())) {
      throw new Fault('forbidden', 'You may not open this patient.');
    }
    if (!(await directory.describe(patient))) throw new Fault('invalid', 'There is no such patient.');
    if (encounter !== undefined && !(await directory.isEncounterOf(patient, encounter))) {
      throw new Fault('invalid', 'The encounter is not one of this patient.');
    }
  }
}

const MEMBERS = new Set(['client', 'patient', 'encounter', 'intent', 'needPatientBanner', 'fhirContext']);

/** @throws Fault invalid */
function readLaunch(body: unknown): { client: string; context: SmartContext } {
  if (typeof body !== 'object' || body === null) throw new Fault('invalid', 'The body must be a JSON object.');
  const unknown = Object.keys(body).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) throw new Fault('invalid', `The body must have ${[...MEMBERS].join(', ')} only.`);
  const given = body as Record<string, unknown>;
  const client = textIn(given, 'client');
  if (client === undefined) throw new Fault('invalid', 'client must be the id of the application to launch.');
  const context = {
    patient: textIn(given, 'patient'),
    encounter: textIn(given, 'encounter'),
    intent: textIn(given, 'intent'),
    needPatientBanner: bannerIn(given),
    fhirContext: referencesIn(given),
  };
  if (context.encounter !== undefined && context.patient === undefined) {
    throw new Fault('invalid', 'An encounter needs its patient.');
  }
  return { client, context };
}

function textIn(given: Readonly<Record<string, unknown>>, member: string): string | undefined {
  const value = given[member];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[\w.:/-]{1,128}$/.test(value)) return value;
  throw new Fault('invalid', `${member} must be an id or a code.`);
}

function bannerIn({ needPatientBanner }: Readonly<Record<string, unknown>>): boolean | undefined {
  if (needPatientBanner === undefined || typeof needPatientBanner === 'boolean') return needPatientBanner;
  throw new Fault('invalid', 'needPatientBanner must be true or false.');
}

/** Patient and Encounter have members of their own. */
function referencesIn({ fhirContext }: Readonly<Record<string, unknown>>): { reference: string }[] | undefined {
  if (fhirContext === undefined) return undefined;
  const given = Array.isArray(fhirContext) && fhirContext.length <= 20 ? fhirContext : [undefined];
  return given.map((item: unknown) => {
    const { reference } = (item ?? {}) as { reference?: unknown };
    if (typeof reference === 'string' && parseLiteral(reference) !== undefined) return { reference };
    throw new Fault('invalid', 'fhirContext must be a list of at most 20 objects with a reference such as Task/3.');
  });
}
