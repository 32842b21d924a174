// $validate-code: whether codes are in a selection (a value set or a whole code system) and worded right. What cannot be
// told is not "no". https://hl7.org/fhir/R4/valueset-operation-validate-code.html
import type { Coding } from '@medplum/fhirtypes';
import { isInactiveMember } from './active-only.ts';
import { isAbstract } from './concept-system.ts';
import { reasons } from './gap-fault.ts';
import type { Library } from './library.ts';
import { type Asked, type Member, memberKey, type Selection } from './selection.ts';
import { displayOf, displaysOf } from './wording.ts';

export interface CodeCheck {
  readonly library: Library;
  readonly selection: Selection;
  /** What the selection is called in messages: `the value set http://…`. */
  readonly name: string;
  /** False: a concept that only groups others is not valid. */
  readonly abstract?: boolean | undefined;
  readonly displayLanguage?: string | undefined;
}

export interface Verdict {
  /** Undefined when it cannot be told here. */
  readonly result: boolean | undefined;
  readonly message?: string;
  readonly display?: string;
}

/** One valid coding is enough; when none is valid and one cannot be told, the whole cannot. */
export function validateCodings(check: CodeCheck, codings: readonly Coding[]): Verdict {
  const verdicts = codings.map((coding) => validateCoding(check, coding));
  const best =
    verdicts.find(({ result }) => result === true) ??
    verdicts.find(({ result }) => result === undefined) ??
    verdicts[0];
  if (!best) return { result: false, message: 'There is no coding to validate.' };
  const messages = [...new Set(verdicts.flatMap(({ message }) => message ?? []))];
  return { ...best, ...(messages.length > 0 ? { message: messages.join(' ') } : {}) };
}

export function validateCoding(check: CodeCheck, { system, version, code, display }: Coding): Verdict {
  const { library, selection, name } = check;
  if (code === undefined) return { result: false, message: 'A coding has no code.' };
  if (system === undefined) return { result: false, message: `The code ${code} has no system, so it means nothing.` };
  const asked: Asked = { system, version, code };
  const found = selection.has(asked);
  if (found === undefined) return { result: undefined, message: cannotTell(check, asked) };
  if (found === false) return { result: false, message: notIn(library, asked, name) };
  const member = memberOf(check, system, version, code);
  const right = displayOf(library, member, check.displayLanguage);
  const worded = right === undefined ? {} : { display: right };
  if (check.abstract === false && isAbstractMember(member)) {
    return { result: false, message: `The code ${code} only groups others; it is not meant to be used.`, ...worded };
  }
  if (display !== undefined && !isRightDisplay(check, member, display)) {
    const better = right === undefined ? '.' : `; it is “${right}”.`;
    return { result: false, message: `“${display}” is not a display of the code ${code}${better}`, ...worded };
  }
  return { result: true, ...(isInactiveMember(member) ? { message: `The code ${code} is inactive.` } : {}), ...worded };
}

/** The member with what its code system says, and how the value set words it. */
function memberOf(
  { library, selection }: CodeCheck,
  system: string,
  version: string | undefined,
  code: string,
): Member {
  const of = library.codeSystem(system, version) ?? library.codeSystem(system);
  const concept = of?.find(code);
  const key = memberKey({ system, code: concept?.code ?? code });
  for (const member of selection.members()) if (memberKey(member) === key) return member;
  return { system, version: of?.version ?? version, code, concept, of };
}

function isAbstractMember({ abstract, of, concept }: Member): boolean {
  return abstract ?? (of !== undefined && concept !== undefined && isAbstract(of, concept));
}

/** Case and spacing of displays do not matter: no code system of R4 tells displays apart by them. */
function isRightDisplay({ library }: CodeCheck, member: Member, display: string): boolean {
  const normal = (text: string) => text.trim().replace(/\s+/g, ' ').toLowerCase();
  const known = displaysOf(library, member);
  return known.length === 0 || known.some((text) => normal(text) === normal(display));
}

function notIn(library: Library, { system = '', version, code }: Asked, name: string): string {
  const of = library.codeSystem(system, version);
  const exists = !of?.complete || of.find(code) !== undefined;
  return exists ? `The code ${code} of ${system} is not in ${name}.` : `${system} has no code ${code}.`;
}

function cannotTell({ library, selection, name }: CodeCheck, { system = '', version, code }: Asked): string {
  const relevant = selection.gaps.filter((gap) => gap.system === undefined || gap.system === system);
  const isAbsent = relevant.length === 0 && version !== undefined && !library.codeSystem(system, version);
  const why = isAbsent ? `Version ${version} of ${system} is not here.` : reasons(relevant).join(' ');
  return `Whether the code ${code} of ${system} is in ${name} cannot be validated here. ${why}`.trim();
}
