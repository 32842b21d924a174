// After the start, in between requests: the profiles of profiles/ are compiled, so that the first case, plan or referral of
// the day is written as fast as the second, and the first follow-ups are raised as fast as the next.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Conformance } from './fhir/conformance.ts';

/** A type that Baton writes with every sweep and of which profiles/ has no profile. */
const BESIDES = ['CommunicationRequest'];

/** One profile at a time; a request that comes meanwhile waits for one at most. */
export async function warmUp(
  brought: readonly Resource[],
  { prepareProfile }: Pick<Conformance, 'prepareProfile'>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<void> {
  const profiles = brought.flatMap((resource) =>
    resource.resourceType === 'StructureDefinition' && resource.kind === 'resource' ? [resource.url] : [],
  );
  for (const profile of [...BESIDES, ...profiles]) {
    await nextTurn();
    if (signal.aborted) return;
    try {
      prepareProfile(profile);
    } catch (error) {
      log.warn({ err: error, profile }, 'a profile could not be prepared');
    }
  }
}
