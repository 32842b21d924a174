// What a server says it can do, asked as questions. https://hl7.org/fhir/R4/capabilitystatement.html
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { hashJson, type JsonObject } from '../fhir/canonical-json.ts';
import type { Vendor } from './vendors/vendor.ts';

export type Interaction = 'read' | 'search-type' | 'create' | 'update' | 'delete' | 'history-type';

export interface Capability {
  /** Changes when a part that Baton relies on changes. */
  readonly hash: string;
  /** Tells one installation from another: software, version, implementation. */
  readonly epoch: string;
  /** What Baton relies on, by type; for finding out what changed. */
  readonly reliedOn: ReadonlyMap<string, JsonObject>;
  supports(type: string, interaction: Interaction): boolean;
  searchable(type: string, parameter: string): boolean;
  /** @param name of an operation on the type, without `$` */
  operates(type: string, name: string): boolean;
  conditionalCreate(type: string): boolean;
  /** PUT to an id of our choice creates. */
  updateCreate(type: string): boolean;
  /** Updates of the type carry If-Match. */
  guardsUpdates(type: string): boolean;
  readonly transaction: boolean;
  /** Bulk export of the whole server, or of what a Group or all Patients have. */
  exports(level: 'system' | 'Group' | 'Patient'): boolean;
}

/** @param statement answer of `GET /metadata` */
export function readCapability(statement: CapabilityStatement, vendor: Vendor): Capability {
  const rest = statement.rest?.find(({ mode }) => mode === 'server') ?? statement.rest?.[0];
  const types = new Map<string, CapabilityStatementRestResource>();
  for (const resource of rest?.resource ?? []) types.set(resource.type, resource);
  const supports = (type: string, interaction: Interaction) =>
    types.get(type)?.interaction?.some(({ code }) => code === interaction) ?? false;
  return {
    hash: hashJson([...types.values()].map(reliedOn).sort((a, b) => (String(a.type) < String(b.type) ? -1 : 1))),
    epoch: hashJson([statement.software?.name ?? '', statement.implementation?.url ?? '', statement.fhirVersion ?? '']),
    reliedOn: new Map([...types].map(([type, resource]) => [type, reliedOn(resource)])),
    supports,
    searchable: (type, parameter) =>
      supports(type, 'search-type') &&
      (vendor.unlistedSearch.includes(parameter) ||
        [...(types.get(type)?.searchParam ?? []), ...(rest?.searchParam ?? [])].some(({ name }) => name === parameter)),
    operates: (type, name) => types.get(type)?.operation?.some((one) => one.name?.replace(/^\$/, '') === name) ?? false,
    conditionalCreate: (type) => types.get(type)?.conditionalCreate ?? false,
    updateCreate: (type) => types.get(type)?.updateCreate ?? false,
    guardsUpdates: (type) => {
      if (vendor.ifMatch !== 'as-stated') return true;
      const versioning = types.get(type)?.versioning;
      return versioning === 'versioned' || versioning === 'versioned-update';
    },
    exports: (level) => (level === 'system' ? rest?.operation : types.get(level)?.operation)?.some(isExport) ?? false,
    transaction: rest?.interaction?.some(({ code }) => code === 'transaction') ?? false,
  };
}

/** Named `export` as a rule; the definition is what counts. https://hl7.org/fhir/uv/bulkdata/operations.html */
function isExport({ name, definition }: { readonly name?: string; readonly definition?: string }): boolean {
  return name?.replace(/^\$/, '') === 'export' || /\/(group-|patient-)?export(\||$)/.test(definition ?? '');
}

function reliedOn(resource: CapabilityStatementRestResource): JsonObject {
  return {
    type: resource.type,
    interactions: (resource.interaction ?? []).map(({ code }) => code ?? '').sort(),
    search: (resource.searchParam ?? []).map(({ name }) => name ?? '').sort(),
    conditionalCreate: resource.conditionalCreate ?? false,
    updateCreate: resource.updateCreate ?? false,
    versioning: resource.versioning ?? '',
  };
}
