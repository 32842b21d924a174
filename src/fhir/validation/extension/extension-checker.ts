// Extensions whose definition is known must be used as it says, wherever they are: where, with what value, with which
// extensions inside. What is not known may be anything. https://hl7.org/fhir/R4/extensibility.html
import { Fault } from '../../../fault.ts';
import type { Structure } from '../../base-structures.ts';
import type { Definitions } from '../../definitions.ts';
import type { ProfileChecker } from '../profile/profile-checker.ts';
import { type Extended, report, type Visit } from '../visit.ts';
import { isAllowedAt } from './extension-context.ts';
import { surroundingsOf } from './extension-place.ts';

export function createExtensionChecker(
  definitions: Definitions,
  checkProfile: ProfileChecker['checkProfile'],
): (visit: Visit) => void {
  const known = new Map<string, Structure>();

  return (visit) => {
    for (const extended of visit.extensions) {
      const { url } = (extended.value ?? {}) as { url?: unknown };
      if (typeof url !== 'string' || !url.includes(':')) continue; // a part of another extension
      const structure = known.get(url) ?? find(url);
      if (structure) checkKnown(structure, extended, visit);
      else if (visit.advice) adviseUnknown(extended, visit);
    }
  };

  /** Kept only when there is one: clients choose the URLs. */
  function find(url: string): Structure | undefined {
    const structure = usable(() => definitions.structure(url));
    if (structure?.type !== 'Extension') return undefined;
    known.set(url, structure);
    return structure;
  }

  function checkKnown(structure: Structure, { value, pointer }: Extended, visit: Visit): void {
    const { url } = structure;
    const own: Visit = { ...visit, issues: [] };
    checkProfile(url, { item: { type: 'Extension', value }, pointer }, own);
    if (isModifier(structure) !== isModifierPlace(pointer)) {
      const text = `The extension ${url} ${isModifier(structure) ? 'must' : 'may not'} be a modifierExtension.`;
      report(own, 'error', 'extension', text, pointer);
    }
    if (!isAllowedAt(structure, surroundingsOf(visit, pointer), visit)) {
      const places = structure.context?.map(({ expression }) => expression).join(', ');
      report(own, 'error', 'extension', `The extension ${url} is not for this place; it is for ${places}.`, pointer);
    }
    if (own.issues.length === 0) return;
    const isCurrent = definitions.installed(url) !== undefined;
    for (const issue of own.issues) if (isCurrent || !MOVED_ON.has(issue.code)) visit.issues.push(issue);
    if (isCurrent || !visit.advice) return;
    for (const issue of own.issues) if (MOVED_ON.has(issue.code)) visit.issues.push({ ...issue, severity: 'warning' });
  }
}

/**
 * The extensions of R4 are published again and again since, for more places and with more codes
 * (https://hl7.org/fhir/extensions/), so what R4 says of these two is advice unless a guide brings the definition.
 */
const MOVED_ON: ReadonlySet<string> = new Set(['extension', 'code-invalid']);

/** A definition that cannot be used is as one that is not there. */
function usable<T>(find: () => T | undefined): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** One that changes the meaning of its element and is not understood must be noticed. */
function adviseUnknown({ pointer }: Extended, visit: Visit): void {
  if (isModifierPlace(pointer)) {
    const text = 'This extension changes the meaning of what it is in, and its definition is not installed.';
    report(visit, 'warning', 'extension', text, pointer);
  } else {
    report(visit, 'information', 'informational', 'The definition of this extension is not installed.', pointer);
  }
}

function isModifierPlace(pointer: string): boolean {
  return /\/modifierExtension\/\d+$/.test(pointer);
}

function isModifier({ elements }: Structure): boolean {
  return elements[0]?.isModifier === true;
}
