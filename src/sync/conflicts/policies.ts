// Who wins, per element, and whether deletes travel: profiles/policies/TYPE.json. docs/sync-spec.md#I9
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ResourcePolicy, readPolicy } from './policy-schema.ts';

/** By resource type. A type without one: every difference waits for a person. */
export type Policies = Readonly<Record<string, ResourcePolicy>>;

/**
 * Reads every `TYPE.json` of the directory.
 * @throws Fault invalid naming the file and what is wrong in it
 */
export function readPolicies(directory: string): Policies {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      readPolicy(`profiles/policies/${file}`, readFileSync(join(directory, file), 'utf8')),
    ]),
  );
}
