// EHR launches: somebody who has a patient open starts an application on that patient. The launch is a ticket: for one
// application, once, within five minutes, and only by the person who made it.
// https://hl7.org/fhir/smart-app-launch/app-launch.html#launch-app-ehr-launch

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { fhirBase } from '../../fhir/base-url.ts';
import type { ClientRegistry } from './client-registry.ts';
import type { SmartContext } from './smart-context.ts';
import type { StateTable } from './state-table.ts';

export interface Launch {
  /** Id of the application. */
  readonly client: string;
  readonly context: SmartContext;
  /** fhirUser of who made it; absent when a service did, and then anybody may take it up. */
  readonly user?: string | undefined;
}

export interface Launches {
  /** @returns the ticket, and the application's address with the ticket in it. @throws Fault not-found | invalid */
  make(launch: Launch): Promise<{ launch: string; url: string }>;
  /** Uses the ticket up. Undefined when it is unknown, expired, spent, or for another client. */
  take(ticket: string, client: string): Promise<Launch | undefined>;
  /** The launch of a ticket that was used up by the request in progress. */
  taken(ticket: string): Promise<Launch | undefined>;
}

const LIFETIME_SECONDS = 300;
/** How long the sign-in and the consent that follow may take. */
export const INTERACTION_SECONDS = 1_800;

export function createLaunches(
  table: StateTable,
  clients: Pick<ClientRegistry, 'find'>,
  clock: Clock,
  issuer: () => string,
): Launches {
  const now = () => Math.floor(clock.real().epochMilliseconds / 1000);
  return {
    async make({ client: clientId, context, user }) {
      const client = await clients.find(clientId);
      if (!client) throw new Fault('not-found', `There is no client ${clientId}.`);
      if (client.launchUrl === undefined) throw new Fault('invalid', `Client ${clientId} has no launch URL.`);
      const launch = randomBytes(32).toString('base64url');
      const expires = now() + LIFETIME_SECONDS;
      await table.put('Launch', launch, { payload: { client: clientId, context, user, expires }, expires });
      const url = new URL(client.launchUrl);
      url.searchParams.set('iss', fhirBase(issuer()));
      url.searchParams.set('launch', launch);
      return { launch, url: url.href };
    },
    async take(ticket, clientId) {
      const row = await table.find('Launch', ticket);
      if (!row || row.consumed !== undefined) return undefined;
      const { client, context, user, expires } = row.payload as unknown as Launch & { readonly expires: number };
      if (client !== clientId || expires <= now()) return undefined;
      const until = now() + INTERACTION_SECONDS;
      return (await table.consume('Launch', ticket, until)) ? { client, context, user } : undefined;
    },
    async taken(ticket) {
      const row = await table.find('Launch', ticket);
      return row?.consumed === undefined ? undefined : (row.payload as unknown as Launch);
    },
  };
}
