// Who told of a discharge through Baton, as an extension of the Encounter. What hospitals send leaves it in place.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { nowOf } from '../given-time.ts';
import { linkedOf } from '../linked.ts';
import type { Caller } from '../records.ts';
import { EXTENSION } from '../systems.ts';
import type { Discharge } from './discharge-schema.ts';

/** @param why absent for a first word, which needs no reason */
export function withTold({ extension = [] }: Pick<Encounter, 'extension'>, caller: Caller, why?: string): Extension[] {
  const told: Extension = {
    url: EXTENSION.dischargeTold,
    extension: [
      { url: 'at', valueDateTime: nowOf(caller) },
      { url: 'by', valueReference: caller.who },
      ...(why === undefined ? [] : [{ url: 'why', valueString: why }]),
    ],
  };
  return [...extension.filter(({ url }) => url !== EXTENSION.dischargeTold), told];
}

export function toldOf({ extension = [] }: Encounter): Discharge['told'] {
  const parts = extension.find(({ url }) => url === EXTENSION.dischargeTold)?.extension ?? [];
  const part = (name: string) => parts.find(({ url }) => url === name);
  const at = part('at')?.valueDateTime;
  if (at === undefined) return undefined;
  const [by, why] = [linkedOf(part('by')?.valueReference), part('why')?.valueString];
  return { at, ...(by ? { by } : {}), ...(why === undefined ? {} : { why }) };
}
