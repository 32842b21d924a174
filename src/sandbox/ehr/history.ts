// History bundles of the simulated EHR, newest first, deletes included. https://hl7.org/fhir/R4/http.html#history
import { allOk, OperationOutcomeError } from '@medplum/core';
import type { FhirRequest, FhirRouter } from '@medplum/fhir-router';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import type { EhrVersion } from './journal.ts';
import { refused } from './outcomes.ts';

export interface HistoryOptions {
  /** Inclusive instant. */
  readonly since?: Temporal.Instant;
  readonly count?: number;
  readonly offset?: number;
}

/** @param versions oldest first */
export function historyBundle(versions: readonly EhrVersion[], options: HistoryOptions): Bundle {
  const { since, count = 100, offset = 0 } = options;
  const inRange = versions.filter(
    ({ lastUpdated }) => !since || Temporal.Instant.compare(Temporal.Instant.from(lastUpdated), since) >= 0,
  );
  const page = inRange.toReversed().slice(offset, offset + count);
  return {
    resourceType: 'Bundle',
    type: 'history',
    total: inRange.length,
    ...(page.length > 0 ? { entry: page.map(entryOf) } : {}),
  };
}

function entryOf({ op, type, id, versionId, lastUpdated, resource }: EhrVersion): BundleEntry {
  const request = {
    create: { method: 'POST', url: type },
    update: { method: 'PUT', url: `${type}/${id}` },
    delete: { method: 'DELETE', url: `${type}/${id}` },
  } as const;
  const status = { create: '201', update: '200', delete: '204' } as const;
  return {
    ...(resource ? { resource: structuredClone(resource) } : {}),
    request: request[op],
    response: { status: status[op], etag: `W/"${versionId}"`, lastModified: lastUpdated },
  };
}

interface VersionSource {
  versionsOf(type?: string): readonly EhrVersion[];
}

/** Adds history of a type and of everything, which Medplum's router does not have. */
export function addHistoryRoutes(router: FhirRouter, source: VersionSource): void {
  const add = (path: string, interaction: 'history-type' | 'history-system') =>
    router.add(
      'GET',
      path,
      async (request) => [allOk, historyBundle(source.versionsOf(request.params.resourceType), optionsOf(request))],
      interaction,
    );
  add(':resourceType/_history', 'history-type');
  add('_history', 'history-system');
}

function optionsOf({ query }: FhirRequest): HistoryOptions {
  const number = (name: string) => (/^\d{1,9}$/.test(String(query[name])) ? Number(query[name]) : undefined);
  return {
    since: query._since === undefined ? undefined : instant(String(query._since)),
    count: number('_count'),
    offset: number('_offset'),
  };
}

function instant(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw new OperationOutcomeError(refused(`_since must be an instant like 2026-11-20T13:00:00Z, not "${text}".`));
  }
}
