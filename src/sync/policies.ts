// Who wins, per element, and whether deletes travel: profiles/policies/TYPE.json. docs/sync-spec.md#I9
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MergePolicy, Preference } from '../fhir/merge3.ts';

export interface ResourcePolicy extends MergePolicy {
  /** `push`: deleting here deletes there. `keep`, when absent: the remote keeps its copy. */
  readonly delete?: 'keep' | 'push';
  /**
   * By top-level element, the codes that end something: when ours is one of them and the remote changed it to another
   * value at the same time, a person decides, whatever `paths` says.
   */
  readonly final?: Readonly<Record<string, readonly string[]>>;
  /** Top-level elements, as codes, that our untouched copy gets when the remote deleted its own. Absent: it stays as it is. */
  readonly gone?: Readonly<Record<string, string>>;
}

/** By resource type. A type without one: every difference waits for a person. */
export type Policies = Readonly<Record<string, ResourcePolicy>>;

const PREFERENCES: readonly Preference[] = ['ours', 'theirs', 'union', 'append', 'review'];

/**
 * Reads every `TYPE.json` of the directory.
 * @throws Error naming the file and the value that is wrong
 */
export function readPolicies(directory: string): Policies {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(
    files.map((file) => {
      const policy: ResourcePolicy = JSON.parse(readFileSync(join(directory, file), 'utf8'));
      for (const preference of [policy.default ?? 'review', ...Object.values(policy.paths ?? {})]) {
        if (!PREFERENCES.includes(preference)) throw new Error(`${file}: "${preference}" is not a merge preference.`);
      }
      for (const [element, code] of Object.entries(policy.gone ?? {})) {
        if (typeof code !== 'string') throw new Error(`${file}: "gone.${element}" must be a code.`);
      }
      return [file.slice(0, -'.json'.length), policy];
    }),
  );
}
