// Who a grant speaks for, as the author, requester or performer of what they do.
import type { Reference } from '@medplum/fhirtypes';
import type { Grant } from '../../access/grant.ts';
import type { Caller } from '../../care/records.ts';
import { IDENTIFIER } from '../../care/systems.ts';
import type { Clock } from '../../clock.ts';

export interface Here {
  readonly clock: Clock;
  /** IANA time zone. */
  readonly zone: string;
}

export function callerOf({ actor, client }: Grant, { clock, zone }: Here): Caller {
  return {
    who: whoIs(actor.kind === 'user' ? actor.reference : undefined, client ?? actor.reference),
    now: clock.now(),
    zone,
  };
}

/** An application has no resource of its own; its name means the same on every server that the record travels to. */
function whoIs(person: string | undefined, application: string): Reference {
  if (person !== undefined) return { reference: person };
  return { type: 'Device', identifier: { system: IDENTIFIER.application, value: application }, display: application };
}
