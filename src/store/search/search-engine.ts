// Search over the relational store: index rows written at commit, queries planned to SQL.
import type { Clock } from '../../clock.ts';
import { hasExact } from '../../fhir/exact-json.ts';
import { changedElements } from '../../fhir/search/elements-read.ts';
import { createExtraction, type Extraction } from '../../fhir/search/extract.ts';
import { changedWords, resourceWords } from '../../fhir/search/full-text.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import { parseSearchUrl } from '../../fhir/search/parse.ts';
import { soleIdentifier } from '../../fhir/search/sole-identifier.ts';
import type { TokenSets } from '../../fhir/search/token-sets.ts';
import { CONSENT_RULES } from '../consent/compile-stored.ts';
import { openCursorKey } from './cursor-key.ts';
import type { SearchEngine } from './engine.ts';
import { deleteWords, writeWords } from './full-text.ts';
import { findIdentified } from './identified.ts';
import { openIndexState, readUnindexed, type Unindexed } from './index-state.ts';
import { openParameterIds, type ParameterIds } from './parameter-ids.ts';
import { PatientCompartments } from './patient-compartments.ts';
import { refuseUnindexed, refuseUnindexedIn, refuseUnindexedParameter } from './refuse-unindexed.ts';
import { runQuery } from './run-query.ts';
import { readWithholding } from './withholding.ts';
import { sparingConsents } from './without-consents.ts';
import { deleteRows, exchangeRows, writeRows } from './write-rows.ts';

export interface SearchEngineOptions {
  readonly parameters: SearchParameters;
  /** This server's FHIR base without a trailing slash: absolute references below it are local. */
  readonly baseUrl: string;
  /** What `ap` is measured from; the machine's when absent. */
  readonly clock?: Clock;
  /** What `:in`, `:not-in`, `:above` and `:below` of codes mean; they are refused without it. */
  readonly tokenSets?: TokenSets;
}

interface Opened {
  readonly ids: ParameterIds;
  readonly extract: Extraction;
  readonly cursorKey: string;
  readonly unindexed: Unindexed;
  readonly compartments: PatientCompartments;
}

export function createSearchEngine(options: SearchEngineOptions): SearchEngine {
  const { parameters, baseUrl } = options;
  let opened: Opened | undefined;
  const ready = () => {
    if (!opened) throw new Error('The search engine is used before open().');
    return opened;
  };
  return {
    baseUrl,
    async open(tx, current = parameters) {
      const ids = await openParameterIds(tx, current);
      const state = await openIndexState(tx, current);
      const cursorKey = await openCursorKey(tx);
      const extract = createExtraction({ parameters: current, baseUrl, idOf: ids.idOf });
      const compartments = new PatientCompartments(current, ids);
      return {
        // A process that does not keep the rules of consents must not write beside one that relies on them.
        fingerprint: `${state.fingerprint} consent-${CONSENT_RULES}`,
        enforce() {
          opened = { ids, extract, cursorKey, unindexed: state.unindexed, compartments };
        },
      };
    },
    async followIndexing(sql) {
      const unindexed = await readUnindexed(sql);
      opened = { ...ready(), unindexed };
      return unindexed.size > 0;
    },
    async index(tx, rid, resource, { fresh, before, patients }) {
      const { extract, compartments, unindexed } = ready();
      const { resourceType: type } = resource;
      const words = before ? changedWords(resource, before) : resourceWords(resource);
      if (words) await writeWords(tx, rid, words, fresh);
      const all = async () => {
        const rows = extract(resource);
        await writeRows(tx, rid, rows, fresh);
        return compartments.patientsIn(resource, rows);
      };
      if (!before || !patients || !tx.exchange || unindexed.has(type)) return all();
      // Decimals may differ in digits that do not show in what is compared.
      const elements = hasExact(before) || hasExact(resource) ? undefined : changedElements(before, resource);
      const [old, now] = [extract(before, elements), extract(resource, elements)];
      // They may be those of another base URL.
      if (!(await exchangeRows({ exchange: tx.exchange }, rid, old, now))) return all();
      const stays = ![old, now].some((rows) => compartments.areNamedIn(type, rows));
      return stays ? patients : compartments.patientsIn(resource, extract(resource));
    },
    patientsOf: (sql, type, ids) => ready().compartments.patientsOf(sql, type, ids),
    async unindex(tx, rid) {
      await deleteRows(tx, rid);
      await deleteWords(tx, rid);
    },
    async identified(sql, asked) {
      const { ids, unindexed } = ready();
      for (const { type } of asked) refuseUnindexedParameter({ type, code: 'identifier' }, unindexed);
      return findIdentified(sql, asked, ids);
    },
    async withSoleIdentifier(sql, type, query, most) {
      const identifier = parameters.get(type, 'identifier')?.kind === 'token' ? soleIdentifier(query) : undefined;
      if (!identifier) return undefined;
      const { ids, unindexed } = ready();
      refuseUnindexedParameter({ type, code: 'identifier' }, unindexed);
      return findIdentified(sql, [{ type, ...identifier }], ids, most);
    },
    async run(sql, query) {
      const { ids, unindexed, cursorKey } = ready();
      refuseUnindexed(query, unindexed, parameters);
      return sparingConsents(sql, query, (each) => runQuery(sql, each, { parameters, ids, cursorKey }));
    },
    async withholding(sql, rid, condition) {
      const { ids, unindexed } = ready();
      refuseUnindexedIn(condition, unindexed);
      return readWithholding(sql, rid, condition, ids);
    },
    parse: (query) => parseSearchUrl(parameters, query, { ...options, handling: 'strict' }),
  };
}
