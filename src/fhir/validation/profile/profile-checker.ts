// What profiles ask for beyond the base type: cardinality, values, types, targets, bindings, rules and slices.
import { Fault } from '../../../fault.ts';
import type { Structure } from '../../base-structures.ts';
import type { Definitions } from '../../definitions.ts';
import type { TypedValue } from '../../fhirpath/typed-value.ts';
import { isError, issueOf } from '../issue.ts';
import { report, type Visit } from '../visit.ts';
import { compileNode } from './element-check.ts';
import type { NodeCheck, Place } from './place.ts';
import { profileTree } from './profile-tree.ts';

/** Deeper than profiles refer to each other (an extension in an extension …). */
const DEEPEST = 20;

export interface ProfileChecker {
  /** Adds to the visit what its resource breaks of the profiles it claims and of `extra`. */
  readonly checkProfiles: (visit: Visit, extra: readonly string[]) => void;
  /** Adds what the value at a place breaks of one profile; a profile that cannot be used is a warning. */
  readonly checkProfile: (url: string, place: Place, visit: Visit) => void;
  /** Compiles one that will be claimed. */
  readonly compile: (structure: Structure) => void;
}

export function createProfileChecker(definitions: Definitions): ProfileChecker {
  const compiled = new Map<Structure, NodeCheck>();
  let depth = 0;

  function checkOf(structure: Structure): NodeCheck {
    const known = compiled.get(structure);
    if (known) return known;
    const check = compileNode(profileTree(structure), structure, { definitions, checkProfile, conforms });
    compiled.set(structure, check);
    return check;
  }

  /** Undefined when the profile is not installed, false when it is for another type. */
  function checkProfile(url: string, place: Place, visit: Visit): boolean | undefined {
    const structure = definitions.structure(url);
    if (!structure) return undefined;
    if (structure.derivation !== 'constraint') return structure.type === place.item.type;
    if (structure.type !== place.item.type) return false;
    if (depth >= DEEPEST) return true;
    const done = `${place.pointer} ${structure.url}`;
    if (visit.checked.has(done)) return true;
    visit.checked.add(done);
    depth++;
    try {
      checkOf(structure)(place, visit);
    } finally {
      depth--;
    }
    return true;
  }

  function conforms(url: string, item: TypedValue, visit: Visit): boolean | undefined {
    const trial: Visit = { ...visit, issues: [], checked: new Set() };
    const fits = checkProfile(url, { item, pointer: '' }, trial);
    return fits && !trial.issues.some(isError);
  }

  /** A profile that cannot be used (a broken discriminator) must not make the resource unusable. */
  function attempt(url: string, place: Place, visit: Visit): boolean | undefined {
    try {
      return checkProfile(url, place, visit);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report(
        visit,
        'warning',
        'processing',
        `The profile ${url} could not be checked. ${error.message}`,
        '/meta/profile',
      );
      return true;
    }
  }

  function checkProfiles(visit: Visit, extra: readonly string[]): void {
    const place = { item: { type: visit.type, value: visit.resource }, pointer: '' };
    for (const url of new Set([...claimed(visit.resource), ...extra])) {
      const fits = attempt(url, place, visit);
      if (fits === undefined) visit.issues.push(notInstalled(url, visit, extra.includes(url)));
      if (fits === false)
        report(visit, 'error', 'structure', `The profile ${url} is not for ${visit.type}.`, '/meta/profile');
    }
  }

  return { checkProfiles, checkProfile: attempt, compile: (structure) => void checkOf(structure) };
}

function claimed(resource: object): string[] {
  const { meta } = resource as { meta?: { profile?: (string | null)[] } };
  return (meta?.profile ?? []).filter((url) => url !== null);
}

/** A claim that cannot be checked is a warning; a question that cannot be answered is an error. */
function notInstalled(url: string, { prefix, advice }: Visit, asked: boolean) {
  const how = 'An operator can add its guide: baton guide add FILE or name@version.';
  return asked && advice
    ? issueOf('error', 'not-found', `The profile ${url} is not installed. ${how}`, prefix)
    : issueOf(
        'warning',
        'not-found',
        `The profile ${url} is not installed, so it was not checked.`,
        `${prefix}.meta.profile`,
      );
}
