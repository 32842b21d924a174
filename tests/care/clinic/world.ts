// A store with one open case, and planners run against it as the server runs them: everything they make is validated.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { Caller, Kept, Planned, Records } from '../../../src/care/records.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../../../src/care/systems.ts';
import { Fault } from '../../../src/fault.ts';
import type { OpenStore } from '../../../src/store/open.ts';
import { testValidate } from '../../support/store-rules.ts';
import { openTempStore } from '../../support/temp-store.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;

export const NOW = Temporal.Instant.from('2026-11-30T15:00:00Z');

export interface World {
  readonly records: Records;
  caller(who?: string): Caller;
  put(...resources: (Resource & { id: string })[]): Promise<void>;
  read<K extends ResourceType>(type: K, id: string): Promise<Kept<K>>;
  /** Commits what is planned and gives back what it is about. */
  run(planned: Promise<Planned>): Promise<Resource & { id: string }>;
  /** All that was committed by `run`. */
  readonly made: Resource[];
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const temp = await openTempStore({ memory: true });
  const { store } = temp;
  const records = recordsOf(store);
  const made: Resource[] = [];
  const put = async (...resources: (Resource & { id: string })[]) => {
    await store.commit(
      NURSE,
      resources.map((resource) => ({ op: 'update', resource })),
    );
  };
  await put(...BEGINNING);
  return {
    records,
    made,
    caller: (who = 'Practitioner/nurse') => ({ who: { reference: who }, now: NOW, zone: 'America/New_York' }),
    put,
    async read(type, id) {
      const found = await records.read(type, id);
      if (!found) throw new Error(`There is no ${type}/${id}.`);
      return found;
    },
    async run(planned) {
      const { changes, about } = await planned;
      const outcomes = await store.commit(NURSE, changes, [], { transaction: true });
      const resources = outcomes.map(({ content }) => JSON.parse(content) as Resource & { id: string });
      for (const resource of resources) {
        const errors = testValidate(resource).filter(({ severity }) => severity === 'error');
        if (errors.length > 0) throw new Error(JSON.stringify(errors));
      }
      made.push(...resources);
      return resources[about] as Resource & { id: string };
    },
    close: () => temp.cleanup(),
  };
}

function recordsOf(store: OpenStore): Records {
  return {
    async read<K extends ResourceType>(type: K, id: string) {
      const found = await store.read(type, id);
      return found && found.operation !== 'delete' ? (JSON.parse(found.content) as Kept<K>) : undefined;
    },
    async find<K extends ResourceType>(type: K, search: Readonly<Record<string, string | readonly string[]>>) {
      const pairs = Object.entries(search).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
      const found = await store.find(`${type}?${new URLSearchParams(pairs as [string, string][])}`);
      return found.map(({ content }) => JSON.parse(content) as Kept<K>);
    },
  };
}

/** The member or element that a command is refused for. */
export async function refusal(planned: Promise<unknown>): Promise<{ kind: string; at: string | undefined }> {
  try {
    await planned;
  } catch (error) {
    if (error instanceof Fault) return { kind: error.kind, at: error.issues[0]?.expression?.[0] };
    throw error;
  }
  throw new Error('It was not refused.');
}

export function caseOf(id: string, patient: string): Resource & { id: string } {
  const type = [{ coding: [{ system: CODE_SYSTEM.episodeType, code: 'case-management' }] }];
  return { resourceType: 'EpisodeOfCare', id, status: 'active', type, patient: { reference: `Patient/${patient}` } };
}

export function planOf(id: string, patient: string): Resource & { id: string } {
  return {
    resourceType: 'CarePlan',
    id: `plan-${id}`,
    identifier: [{ system: IDENTIFIER.casePlan, value: id }],
    status: 'active',
    intent: 'plan',
    title: 'Kept as it is',
    subject: { reference: `Patient/${patient}` },
    activity: [{ progress: [{ text: 'kept' }] }],
  };
}

const BEGINNING: (Resource & { id: string })[] = [
  { resourceType: 'Patient', id: 'p1', address: [{ use: 'home', state: 'NY' }] },
  { resourceType: 'Patient', id: 'dead', deceasedBoolean: true },
  { resourceType: 'Patient', id: 'merged', link: [{ type: 'replaced-by', other: { reference: 'Patient/p1' } }] },
  { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Ito' }] },
  { resourceType: 'Practitioner', id: 'doctor', name: [{ family: 'Reyes' }] },
  { resourceType: 'RelatedPerson', id: 'daughter', patient: { reference: 'Patient/p1' } },
  { resourceType: 'RelatedPerson', id: 'stranger', patient: { reference: 'Patient/merged' } },
  { resourceType: 'Location', id: 'room', name: 'Room 3' },
  caseOf('c1', 'p1'),
  planOf('c1', 'p1'),
  caseOf('c-dead', 'dead'),
  planOf('c-dead', 'dead'),
  caseOf('c-merged', 'merged'),
  { ...caseOf('c-closed', 'p1'), status: 'finished' } as Resource & { id: string },
  caseOf('c-bare', 'p1'),
];
