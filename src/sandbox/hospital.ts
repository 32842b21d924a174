// The sandbox's hospital: sends the day's HL7 v2 messages over a real MLLP connection.
import { readFile } from 'node:fs/promises';
import { Fault } from '../fault.ts';
import { sendMllp } from '../intake/mllp/client.ts';

const FOLDER = new URL('../../fixtures/sandbox/', import.meta.url);

/**
 * Sends `fixtures/sandbox/FILE` and waits for the acknowledgement. The same file again is the same message (MSH-10), so
 * sending twice changes nothing.
 * @throws Fault upstream when the answer is not AA; unavailable | timeout
 */
export async function sendFixture(
  file: string,
  target: { readonly host: string; readonly port: number },
): Promise<void> {
  const answer = await sendMllp(target, await readFile(new URL(file, FOLDER)));
  const code = /(?:^|\r)MSA\|([A-Z]{2})/.exec(answer)?.[1];
  if (code !== 'AA')
    throw new Fault('upstream', `Baton answered ${file} with ${code ?? 'no acknowledgement'} instead of AA.`);
}
