// Everything that installed guides have a say in, behind one door: definitions, search parameters, validation. When the
// guides change, what is behind the door is replaced; who holds the door need not know.
import type { Resource, SearchParameter } from '@medplum/fhirtypes';
import { type Artefacts, indexArtefacts } from './artefacts.ts';
import { type Definitions, loadDefinitions } from './definitions.ts';
import { describeInstalled, type Installed } from './installed.ts';
import type { InstalledGuide } from './package/guide.ts';
import { chooseGuideParameters, type UnusedParameter } from './search/guide-parameters.ts';
import { loadSearchParameters, type SearchParameters } from './search/parameters.ts';
import { type ProfileRules, withProfileRules } from './validation/profile-rules.ts';
import { createValidator, type Validator } from './validation/validator.ts';

export interface Conformance {
  readonly definitions: Definitions;
  readonly parameters: SearchParameters;
  readonly validate: Validator['validate'];
  readonly prepareProfile: Validator['prepare'];
  /** In the order they were installed. */
  readonly guides: readonly InstalledGuide[];
  /** Search parameters of the guides that cannot be searched by, and why. */
  readonly unusedParameters: readonly UnusedParameter[];
  /** For the CapabilityStatement; another object after every change. */
  readonly installed: Installed;
  /**
   * Makes everything from other guides. Nothing changes before `enforce`, which puts it into force here and for all that
   * hold one of the parts above.
   */
  prepare(guides: readonly InstalledGuide[]): Prepared;
}

export interface Prepared {
  readonly definitions: Definitions;
  readonly parameters: SearchParameters;
  readonly unusedParameters: readonly UnusedParameter[];
  enforce(): void;
}

interface Current {
  readonly guides: readonly InstalledGuide[];
  readonly definitions: Definitions;
  readonly parameters: SearchParameters;
  readonly unused: readonly UnusedParameter[];
  readonly validate: Validator['validate'];
  readonly prepareProfile: Validator['prepare'];
  readonly installed: Installed;
}

/** @param brought the resources of profiles/, which come with Baton and go before those of guides */
export function createConformance(brought: readonly Resource[], rules: ProfileRules): Conformance {
  let current: Current | undefined;
  const now = () => {
    current ??= load(brought, [], rules);
    return current;
  };
  return {
    definitions: definitionsOf(() => now().definitions),
    parameters: parametersOf(() => now().parameters),
    validate: (resource, profiles, options) => now().validate(resource, profiles, options),
    prepareProfile: (profile) => now().prepareProfile(profile),
    get guides() {
      return now().guides;
    },
    get unusedParameters() {
      return now().unused;
    },
    get installed() {
      return now().installed;
    },
    prepare(guides) {
      const next = load(brought, guides, rules);
      return {
        definitions: next.definitions,
        parameters: next.parameters,
        unusedParameters: next.unused,
        enforce() {
          current = next;
        },
      };
    },
  };
}

function load(brought: readonly Resource[], guides: readonly InstalledGuide[], rules: ProfileRules): Current {
  const artefacts = guides.flatMap((guide) => guide.artefacts);
  const definitions = loadDefinitions(brought, artefacts);
  const { parameters, unused } = loadParameters(brought, indexArtefacts(artefacts));
  const validator = createValidator(definitions);
  const validate = withProfileRules(validator.validate, definitions, rules);
  const installed = describeInstalled(guides, definitions.artefacts, rules.required);
  return { guides, definitions, parameters, unused, validate, prepareProfile: validator.prepare, installed };
}

function loadParameters(brought: readonly Resource[], artefacts: Artefacts) {
  const own = brought.filter((resource): resource is SearchParameter => resource.resourceType === 'SearchParameter');
  const parameters = loadSearchParameters(own);
  const offered = artefacts.newest('SearchParameter').map((artefact) => artefact.read() as SearchParameter);
  const { added, unused } = chooseGuideParameters(offered, parameters);
  return { parameters: added.length === 0 ? parameters : loadSearchParameters([...own, ...added]), unused };
}

function definitionsOf(now: () => Definitions): Definitions {
  return {
    get resourceTypes() {
      return now().resourceTypes;
    },
    structure: (typeOrUrl) => now().structure(typeOrUrl),
    codes: (valueSet) => now().codes(valueSet),
    installed: (canonical) => now().installed(canonical),
    get artefacts() {
      return now().artefacts;
    },
    get terminology() {
      return now().terminology;
    },
  };
}

function parametersOf(now: () => SearchParameters): SearchParameters {
  return {
    get: (type, code) => now().get(type, code),
    forType: (type) => now().forType(type),
    get types() {
      return now().types;
    },
    patientCompartment: (type) => now().patientCompartment(type),
  };
}
