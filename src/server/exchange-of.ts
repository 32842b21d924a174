// What documents are exchanged with: this server's names, its validation, and the rules by which sync matches and merges.
import type { Patient, Resource } from '@medplum/fhirtypes';
import { reachesSome } from '../access/decide.ts';
import type { Grant } from '../access/grant.ts';
import type { Copies, Exchange, Merged } from '../care/document/exchange.ts';
import { Fault } from '../fault.ts';
import { FHIR_PATH } from '../fhir/base-url.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { compareIdentifiers } from '../fhir/patient-match/compare-identifiers.ts';
import { scoreMatch } from '../fhir/patient-match/score.ts';
import { comparable, dressed, jsonOf, resourceOf } from '../sync/body.ts';
import type { Policies } from '../sync/conflicts/policies.ts';
import { reconcile } from '../sync/conflicts/reconcile.ts';
import { carriesIdentifier } from '../sync/mapping.ts';
import type { PatientMatching } from '../sync/patients/match-rules.ts';
import type { FhirContext } from './fhir/context.ts';
import { readVersion } from './fhir/vread.ts';

const HIDDEN: ReadonlySet<string> = new Set(['not-found', 'gone', 'forbidden']);

export function exchangeOf(context: FhirContext, grant: Grant): Exchange {
  const { policies, matching } = context.exchangeRules;
  return {
    get baseUrl() {
      return context.base().slice(0, -FHIR_PATH.length);
    },
    get fhirBase() {
      return context.base();
    },
    isType: context.isType,
    isAboutPatients: (type) => type === 'Patient' || context.parameters.patientCompartment(type) !== undefined,
    carriesIdentifier,
    mayCreate: (type) => reachesSome(grant, 'create', type),
    errorsOf: (resource) =>
      context.validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal'),
    async version(type, id, versionId) {
      try {
        const found = await readVersion(context, grant, { type, id, versionId });
        return parseExact<Resource>(found.content);
      } catch (error) {
        if (error instanceof Fault && HIDDEN.has(error.kind)) return undefined;
        throw error;
      }
    },
    isSamePerson: (here, there) => isSamePerson(matching, here, there),
    merge: (copies) => merge(policies, copies),
  };
}

/** A number of a system that decides alone, unless birth dates contradict it; else what the records say. */
function isSamePerson({ rules, trusts }: PatientMatching, here: Patient, there: Patient): boolean {
  const { shared, contradicts } = compareIdentifiers(here, there, trusts);
  const bornApart =
    here.birthDate !== undefined &&
    there.birthDate !== undefined &&
    !here.birthDate.startsWith(there.birthDate) &&
    !there.birthDate.startsWith(here.birthDate);
  if (shared && !contradicts && !bornApart) return true;
  return rules !== undefined && scoreMatch(here, there, rules, trusts).verdict === 'match';
}

function merge(policies: Policies, { base, ours, theirs, decided, otherwise }: Copies): Merged {
  const policy = policies[ours.resourceType] ?? {};
  const from = base === undefined ? { resourceType: ours.resourceType } : comparable(jsonOf(base));
  const own = jsonOf(ours);
  const { merged, conflicts, localChanges } = reconcile(
    { baseLocal: from, baseRemote: from, local: comparable(own), remote: comparable(jsonOf(theirs)) },
    {
      ...policy,
      ...(otherwise === undefined ? {} : { default: otherwise }),
      paths: { ...(otherwise === undefined ? policy.paths : {}), ...decided },
      final: withoutDecided(policy.final, decided),
    },
  );
  if (!localChanges) return { resource: undefined, conflicts };
  return { resource: resourceOf(dressed(merged, ours.id ?? '', own)), conflicts };
}

/** What has ended is for a person to decide; once it is decided, it is. */
function withoutDecided(final: Policies[string]['final'], decided: Copies['decided']) {
  return Object.fromEntries(Object.entries(final ?? {}).filter(([element]) => !(element in decided)));
}
