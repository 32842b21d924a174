// The TerminologyCapabilities, generated from the code systems that are installed. What is stored through the API is not
// in it: the statement is open to everybody, and what is stored is not.
// https://hl7.org/fhir/R4/terminologycapabilities.html
import type { TerminologyCapabilities, TerminologyCapabilitiesCodeSystem } from '@medplum/fhirtypes';
import { compareVersions } from '../package/version-order.ts';
import type { TerminologyEntry } from './source.ts';

export interface TerminologyCapabilityOptions {
  readonly codeSystems: readonly TerminologyEntry[];
  /** Names of the input parameters of $expand. */
  readonly expandParameters: readonly string[];
  readonly baseUrl: string;
  /** Version of Baton. */
  readonly version: string;
  /** FHIR instant. */
  readonly date: string;
}

/** Accepted, and refused when they say something. */
const NOT_OFFERED = new Set(['context', 'contextDirection']);

export function terminologyCapabilities(options: TerminologyCapabilityOptions): TerminologyCapabilities {
  const byUrl = Map.groupBy(options.codeSystems.filter(hasCodes), ({ url }) => url);
  return {
    resourceType: 'TerminologyCapabilities',
    status: 'active',
    date: options.date,
    kind: 'instance',
    software: { name: 'Baton', version: options.version },
    implementation: {
      description: 'Code systems of FHIR R4 and of installed guides; those stored through the API are served as well',
      url: options.baseUrl,
    },
    lockedDate: false,
    codeSystem: [...byUrl].map(([uri, entries]) => codeSystem(uri, entries)),
    expansion: {
      hierarchical: false,
      paging: true,
      incomplete: false,
      parameter: options.expandParameters.filter((name) => !NOT_OFFERED.has(name)).map((name) => ({ name })),
      textFilter:
        'Every word of the filter must begin a word of the code, the display or a designation. Case and accents do not matter.',
    },
    codeSearch: 'explicit',
    validateCode: { translations: true },
    translation: { needsMap: false },
  };
}

function hasCodes({ content, supplements }: TerminologyEntry): boolean {
  return content !== 'not-present' && supplements === undefined;
}

function codeSystem(uri: string, entries: readonly TerminologyEntry[]): TerminologyCapabilitiesCodeSystem {
  const versions = [...new Set(entries.flatMap(({ version = [] }) => version))].sort((a, b) => compareVersions(b, a));
  const version = versions.map((code, i) => ({ code, isDefault: i === 0 }));
  return { uri, ...(version.length > 0 ? { version } : {}), subsumption: true };
}
