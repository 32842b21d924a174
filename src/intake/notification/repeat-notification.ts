// A kept notification taken in again, perhaps as somebody has corrected it.
import type { Bundle } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseExact } from '../../fhir/exact-json.ts';
import { namedChanges } from '../forecast.ts';
import type { Kept, Repeated, RepeatOptions } from '../receive.ts';
import { isTransient, refusalOf } from '../refusal-of.ts';
import { ACTOR } from '../take-in.ts';
import { foreseeNotification, type NotificationParts, takeNotification } from './take-notification.ts';

/** Never throws for what the message says. @throws Fault invalid for a correction that is no JSON */
export async function repeatNotification(
  parts: NotificationParts,
  { key, body }: Pick<Kept, 'key' | 'body'>,
  { corrected, by, dryRun }: RepeatOptions,
): Promise<Repeated> {
  const bundle = bundleOf(corrected ?? Buffer.from(body).toString());
  const keptAs = { key, ...(corrected === undefined ? {} : { correctedBy: by }) };
  try {
    const changes = await (dryRun
      ? foreseeNotification(parts, bundle)
      : takeNotification(parts, ACTOR, bundle, keptAs));
    return { code: 'AA', remarks: [], changes: namedChanges(changes) };
  } catch (error) {
    if (isTransient(error)) throw error;
    const { code, remark } = refusalOf(error);
    return { code, remarks: [remark], changes: [] };
  }
}

function bundleOf(text: string): Bundle {
  const wrong = new Fault('invalid', 'body must be the corrected message, a Bundle in JSON.', { expression: 'body' });
  try {
    const given = parseExact<Bundle | null>(text);
    if (typeof given === 'object' && given !== null) return given;
  } catch {
    throw wrong;
  }
  throw wrong;
}
