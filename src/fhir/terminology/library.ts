// The terminology that one evaluation sees: a source, and the rules about versions and time that go with the request.
import type { CodeSystem, ConceptMap, ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type Canonical, fromCanonical, toCanonical } from './canonical.ts';
import { type ConceptSystem, conceptSystem } from './concept-system.ts';
import type { TerminologySource } from './source.ts';

export interface LibraryOptions {
  /** Versions of code systems for value sets that name none. */
  readonly systemVersion?: readonly Canonical[];
  /** Versions that a value set must not contradict. */
  readonly checkSystemVersion?: readonly Canonical[];
  /** Versions whatever the value set says. */
  readonly forceSystemVersion?: readonly Canonical[];
  /** FHIR dateTime: only what was there at that time. */
  readonly asOf?: string;
  /** Another version will do when the one that is asked for is not here. Validation says nothing about versions. */
  readonly anyVersion?: boolean;
}

export interface Library {
  readonly source: TerminologySource;
  /**
   * Undefined when there is none, or none of that version.
   * @throws Fault unprocessable when a version check fails
   */
  codeSystem(url: string, version?: string): ConceptSystem | undefined;
  valueSet(canonical: Canonical): ValueSet | undefined;
  conceptMap(canonical: Canonical): ConceptMap | undefined;
  supplements(url: string): readonly ConceptSystem[];
  /** Versions that are here, for messages. */
  codeSystemVersions(url: string): readonly string[];
  /** Code systems used so far, as canonicals with the version used. */
  readonly used: ReadonlySet<string>;
}

type Dated = CodeSystem | ValueSet | ConceptMap;

export function createLibrary(source: TerminologySource, options: LibraryOptions = {}): Library {
  const { asOf, anyVersion = false } = options;
  const systemVersion = toRules(options.systemVersion);
  const checkSystemVersion = toRules(options.checkSystemVersion);
  const forceSystemVersion = toRules(options.forceSystemVersion);
  const used = new Set<string>();
  const supplements = new Map<string, readonly ConceptSystem[]>();

  function choose<T extends Dated>(candidates: readonly T[], version: string | undefined): T | undefined {
    const exact = version === undefined ? candidates : candidates.filter((one) => one.version === version);
    const fitting = exact.length === 0 && anyVersion ? candidates : exact;
    const inTime = fitting.filter(({ date }) => asOf === undefined || date === undefined || !isLater(date, asOf));
    if (inTime.length === 0 && fitting[0]) throw notThatOld(fitting[0], asOf as string);
    return inTime[0];
  }

  function versionFor(url: string, asked: string | undefined): string | undefined {
    const checked = checkSystemVersion.get(url);
    if (checked !== undefined && asked !== undefined && asked !== checked) {
      throw new Fault('unprocessable', `The value set uses version ${asked} of ${url}, not ${checked}.`, {
        code: 'business-rule',
      });
    }
    return forceSystemVersion.get(url) ?? asked ?? checked ?? systemVersion.get(url);
  }

  return {
    source,
    used,
    codeSystem(url, version) {
      const found = choose(source.codeSystems(url), versionFor(url, version));
      if (found) used.add(fromCanonical({ url, ...(found.version ? { version: found.version } : {}) }));
      return found && conceptSystem(found);
    },
    valueSet: ({ url, version }) => choose(source.valueSets(url), version),
    conceptMap: ({ url, version }) => choose(source.conceptMaps(url), version),
    supplements(url) {
      const known = supplements.get(url) ?? source.supplements(url).map(conceptSystem);
      supplements.set(url, known);
      return known;
    },
    codeSystemVersions: (url) => source.codeSystems(url).map(({ version = 'without a version' }) => version),
  };
}

function toRules(rules: readonly Canonical[] = []): ReadonlyMap<string, string> {
  return new Map(rules.flatMap(({ url, version }) => (version === undefined ? [] : [[url, version] as const])));
}

/** @throws Fault invalid for a canonical without version, which says nothing */
export function toVersionRule(parameter: string, text: string): Canonical {
  const canonical = toCanonical(text);
  if (canonical.version !== undefined && canonical.url !== '') return canonical;
  throw new Fault('invalid', `The parameter ${parameter} must be system|version.`, { code: 'value' });
}

/** Compares FHIR dates of any precision as far as both go. */
function isLater(date: string, asOf: string): boolean {
  const length = Math.min(date.length, asOf.length, 'YYYY-MM-DDThh:mm:ss'.length);
  return date.slice(0, length) > asOf.slice(0, length);
}

function notThatOld({ resourceType, url }: Dated, asOf: string): Fault {
  return new Fault('unprocessable', `There is no version here of the ${resourceType} ${url} as old as ${asOf}.`, {
    code: 'not-supported',
  });
}
