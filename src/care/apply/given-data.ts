// Records that were sent along with a request, beside those that are stored or instead of them.
import type { Resource } from '@medplum/fhirtypes';
import type { Kept, Records, SearchFor } from '../records.ts';

/** @param stored absent: only what was given counts */
export function withGiven(given: readonly Resource[], stored: Records | undefined): Records {
  if (given.length === 0 && stored) return stored;
  return {
    async read(type, id) {
      const own = given.find((one) => one.resourceType === type && one.id === id);
      return (own as Kept<typeof type> | undefined) ?? stored?.read(type, id);
    },
    async find(type, search) {
      const own = given.filter((one) => one.resourceType === type && fits(one, search)) as Kept<typeof type>[];
      const ids = new Set(own.flatMap(({ id }) => id ?? []));
      const others = (await stored?.find(type, search)) ?? [];
      return [...own, ...others.filter(({ id }) => !ids.has(id))];
    },
  };
}

/** By patient, code and status, which is what pathways ask; other parameters let everything through. */
function fits(resource: Resource, search: SearchFor): boolean {
  const { subject, patient, code, status } = resource as {
    subject?: { reference?: string };
    patient?: { reference?: string };
    code?: { coding?: { system?: string; code?: string }[] };
    status?: string;
  };
  return Object.entries(search).every(([name, values]) => {
    const wanted = [values].flat().flatMap((value) => value.split(','));
    if (name === 'patient' || name === 'subject') {
      const whose = (subject ?? patient)?.reference?.replace('Patient/', '');
      return whose === undefined || wanted.some((value) => value.replace('Patient/', '') === whose);
    }
    if (name === 'status') return wanted.includes(status ?? '');
    if (name !== 'code') return true;
    return wanted.some((value) => {
      const [system, wantedCode] = value.includes('|') ? value.split('|') : [undefined, value];
      return code?.coding?.some((one) => one.code === wantedCode && (!system || one.system === system));
    });
  });
}
