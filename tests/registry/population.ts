// Patients on a real store with a registry over it; time passes when the test says so.
import type { Condition, Encounter, Group, Observation, Resource, ResourceType } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { membershipId, statusOf } from '../../src/care/panels/membership.ts';
import { loadPanels, type Panels } from '../../src/care/panels/panels.ts';
import { findResources, readResource } from '../../src/care/stored.ts';
import { tokenSets } from '../../src/fhir/terminology/token-sets.ts';
import { createRegistry, type Registry } from '../../src/registry/registry.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';
import type { Actor } from '../../src/store/store.ts';
import { TEST_BASE_URL, testDefinitions, testParameters, testRules } from '../support/store-rules.ts';
import { openTempStore } from '../support/temp-store.ts';

export const PANELS = loadPanels(new URL('../../profiles', import.meta.url).pathname);
export const { parse: PARSE } = createSearchEngine({
  parameters: testParameters,
  baseUrl: TEST_BASE_URL,
  tokenSets: tokenSets(() => testDefinitions.terminology.source),
});
const USER: Actor = { reference: 'Practitioner/nurse', kind: 'user' };
const V3 = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const ICD = 'http://hl7.org/fhir/sid/icd-10-cm';

export type Population = Awaited<ReturnType<typeof openPopulation>>;

export async function openPopulation() {
  let now = Temporal.Instant.from('2026-11-28T15:00:00Z');
  const clock = { now: () => now, real: () => Temporal.Now.instant() };
  const rules = testRules();
  const temp = await openTempStore({ ...rules, clock });
  const open = (panels: Panels = PANELS): Registry =>
    createRegistry({
      ...{ store: temp.store, clock, zone: 'America/New_York', panels },
      parse: PARSE,
      log: pino({ level: 'silent' }),
    });
  let registry = open();
  const membership = (panel: string, patient: string) =>
    readResource(temp.store, 'Group', membershipId(panel, patient));
  return {
    temp,
    open,
    get registry() {
      return registry;
    },
    get store() {
      return temp.store;
    },
    at: (text: string) => {
      now = Temporal.Instant.from(text);
    },
    async restart(panels?: Panels) {
      await temp.reopen();
      registry = open(panels);
    },
    async put(...resources: readonly Resource[]) {
      for (const resource of resources) await temp.store.commit(USER, [{ op: 'update', resource }]);
    },
    remove: (type: ResourceType, id: string) => temp.store.commit(USER, [{ op: 'delete', type, id }]),
    membership,
    async status(panel: string, patient: string) {
      const group = await membership(panel, patient);
      return group ? statusOf(group) : 'never';
    },
    all: <K extends ResourceType>(type: K, parameters: Record<string, string> = {}) =>
      findResources(temp.store, type, parameters),
    /** Panels that each patient is on, without when and why. */
    async roster(): Promise<string[]> {
      const groups: Group[] = await findResources(temp.store, 'Group', {});
      const on = groups.filter((group) => statusOf(group) === 'on');
      return on.map(({ code, member }) => `${code?.coding?.[0]?.code} ${member?.[0]?.entity.reference}`).sort();
    },
  };
}

export const person = (id: string, birthDate = '1960-05-01'): Resource => ({
  resourceType: 'Patient',
  id,
  birthDate,
  name: [{ family: 'Sample', given: [id] }],
});

export function condition(id: string, patient: string, code: string, more: Partial<Condition> = {}): Condition {
  return {
    resourceType: 'Condition',
    id,
    subject: { reference: `Patient/${patient}` },
    code: { coding: [{ system: ICD, code }] },
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    ...more,
  };
}

export function stay(id: string, patient: string, start: string, end?: string): Encounter {
  return {
    resourceType: 'Encounter',
    id,
    status: end ? 'finished' : 'in-progress',
    class: { system: V3, code: 'IMP' },
    subject: { reference: `Patient/${patient}` },
    period: { start, ...(end ? { end } : {}) },
  };
}

export function measured(id: string, patient: string, code: string, value: number, at: string): Observation {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: at,
    valueQuantity: { value },
  };
}
