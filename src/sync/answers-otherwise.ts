// Whether a server that fails to show something answers at all.
import type { FhirClient } from '../remote/fhir-client.ts';

/** For after a failure that may be about one record only: an answer in between keeps the breaker from opening after a few of those. */
export async function answersOtherwise(client: Pick<FhirClient, 'capability'>): Promise<boolean> {
  return (await client.capability()).ok;
}
