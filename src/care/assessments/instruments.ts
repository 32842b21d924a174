// The forms that can be filled in: those stored as Questionnaires, before those that came with Baton or with guides.
import type { Questionnaire } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type Artefacts, splitCanonical } from '../../fhir/artefacts.ts';
import { findReadable } from '../find-readable.ts';
import type { Records } from '../records.ts';
import { type Form, openForm } from '../sdc/form.ts';

/** Where forms are looked for. */
export interface Shelf {
  readonly records: Records;
  readonly installed: Artefacts;
}

/** Of each form the newest that may be used, by title. */
export async function listInstruments({ records, installed }: Shelf): Promise<Questionnaire[]> {
  const stored = await findReadable(records, 'Questionnaire', { status: 'active', _sort: '-date' });
  const shipped = installed.newest('Questionnaire').map((artefact) => artefact.read() as Questionnaire);
  const byUrl = new Map<string, Questionnaire>();
  for (const one of [...stored, ...shipped]) {
    if (one.url !== undefined && one.status === 'active' && !byUrl.has(one.url)) byUrl.set(one.url, one);
  }
  return [...byUrl.values()].sort((a, b) => titleOf(a).localeCompare(titleOf(b), 'en'));
}

/**
 * @param name canonical, with or without version; or the id of one that came with Baton
 * @returns undefined when there is none, or the caller may not see it
 */
export async function findQuestionnaire(
  { records, installed }: Shelf,
  name: string,
): Promise<Questionnaire | undefined> {
  if (!name.includes(':')) {
    const shipped = installed.newest('Questionnaire').map((artefact) => artefact.read() as Questionnaire);
    return (await records.read('Questionnaire', name)) ?? shipped.find(({ id }) => id === name);
  }
  const { url, version } = splitCanonical(name);
  const stored = await findReadable(records, 'Questionnaire', {
    url,
    ...(version === undefined ? {} : { version }),
    _sort: '-date',
  });
  return stored[0] ?? (installed.find('Questionnaire', name)?.read() as Questionnaire | undefined);
}

/** @throws Fault unprocessable naming the member when there is none that may be used */
export async function requireForm(shelf: Shelf, name: string): Promise<Form> {
  const found = await findQuestionnaire(shelf, name);
  if (!found) throw refusal('There is no such instrument, or it is not open to who asks.');
  if (found.status === 'retired') throw refusal('The instrument is retired; choose another one.');
  return openForm(found);
}

export const titleOf = ({ title, name, url = '' }: Questionnaire): string => title ?? name ?? url;

function refusal(sentence: string): Fault {
  return new Fault('unprocessable', sentence, { expression: 'instrument', code: 'not-found' });
}
