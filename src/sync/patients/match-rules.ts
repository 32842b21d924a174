// How patients are matched on a connection: rules from profiles/matching, and what the connection says otherwise.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../fault.ts';
import { type Trusts, trustOf } from '../../fhir/patient-match/compare-identifiers.ts';
import { DEGREES, MATCH_FIELDS, type MatchRules } from '../../fhir/patient-match/rules.ts';
import type { MatchingSettings } from '../connections/settings.ts';

/** By the name of their file, without `.json`. */
export type MatchRuleSets = Readonly<Record<string, MatchRules>>;

export interface PatientMatching {
  /** Absent: identifiers only. */
  readonly rules: MatchRules | undefined;
  readonly trusts: Trusts;
  /** Links by what the records say, without a person, where the rules call it a match. */
  readonly automatic: boolean;
}

export const STANDARD_RULES = 'Patient';

/**
 * Reads every set of rules of the directory.
 * @throws Error naming the file and the word that is no field or degree
 */
export function readMatchRules(directory: string): MatchRuleSets {
  const files = readdirSync(directory).filter((file) => file.endsWith('.json'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -'.json'.length), readRules(directory, file)]));
}

function readRules(directory: string, file: string): MatchRules {
  const rules: MatchRules = JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const known: ReadonlySet<string> = new Set([...MATCH_FIELDS, ...DEGREES]);
  const words = Object.entries(rules.weights).flatMap(([field, degrees]) => [field, ...Object.keys(degrees)]);
  const wrong = [...rules.mustBeEqual, ...rules.mustNotDiffer, ...words].find((word) => !known.has(word));
  if (wrong !== undefined) throw new Error(`${file}: "${wrong}" is neither a field nor a degree of agreement.`);
  const { match, possible } = rules.thresholds;
  if (!(match >= possible)) throw new Error(`${file}: the threshold for a match is below that for a possible one.`);
  return rules;
}

/** @throws Fault invalid, when the connection names rules that are not there */
export function matchingOf(sets: MatchRuleSets, settings: MatchingSettings = {}): PatientMatching {
  const name = settings.rules ?? STANDARD_RULES;
  const found = Object.hasOwn(sets, name) ? sets[name] : undefined;
  if (!found && settings.rules !== undefined) {
    const known = Object.keys(sets).join(', ') || 'none';
    const sentence = `There are no matching rules "${name}" in profiles/matching; there are: ${known}.`;
    throw new Fault('invalid', sentence, { code: 'value', expression: 'Connection.matching.rules' });
  }
  const rules = found && { ...found, thresholds: { ...found.thresholds, ...settings.thresholds } };
  const supporting = rules?.supporting ?? { systems: [], types: [] };
  return { rules, trusts: trustOf({ supporting }, settings.trusted), automatic: settings.automatic === 'demographics' };
}
