// Reads profiles/access/consent-policy.json at the start. docs/consent.md
import { readFileSync } from 'node:fs';
import { Fault } from '../fault.ts';
import { type LabelPolicy, labelPolicy } from '../fhir/consent/label-policy.ts';

/** @throws Fault unprocessable naming the file and what is wrong in it */
export function readLabelPolicy(path: string): LabelPolicy {
  try {
    return labelPolicy(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Fault('unprocessable', `${path}: ${(error as Error).message}`, { cause: error });
  }
}
