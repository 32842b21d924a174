// Who wins, per element, and whether deletes travel: profiles/policies/TYPE.json. docs/sync-spec.md#I9
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MergePolicy } from '../fhir/merge3.ts';
import { readPolicy } from './policy-schema.ts';

export interface ResourcePolicy extends MergePolicy {
  /** `push`: deleting here deletes there. `keep`, when absent: the remote keeps its copy. */
  readonly delete?: 'keep' | 'push';
  /**
   * By top-level element, the codes that end something: when ours is one of them and the remote changed it to another
   * value at the same time, a person decides, whatever `paths` says.
   */
  readonly final?: Readonly<Record<string, readonly string[]>>;
  /**
   * By top-level element, which code may follow which: a merged one that cannot be reached from the last common version is
   * left to a person.
   */
  readonly transitions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

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
