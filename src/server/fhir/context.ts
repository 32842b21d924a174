// What every FHIR interaction works with: the request in FHIR's terms, the parts of Baton it may use, and the answer as
// data. Only door.ts knows Fastify, so that a batch entry can run the same code.
import type { IncomingHttpHeaders } from 'node:http';
import type { Grant } from '../../access/grant.ts';
import type { EvidenceSources } from '../../care/evidence/evidence-sources.ts';
import type { Panels } from '../../care/panels/panels.ts';
import type { Pathways } from '../../care/pathways/pathways.ts';
import type { Clock } from '../../clock.ts';
import type { Artefacts } from '../../fhir/artefacts.ts';
import type { LabelPolicy } from '../../fhir/consent/label-policy.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { TokenSets } from '../../fhir/search/token-sets.ts';
import type { Subsetter } from '../../fhir/subset.ts';
import type { Terminology } from '../../fhir/terminology/terminology.ts';
import type { Validator } from '../../fhir/validation/validator.ts';
import type { Store } from '../../store/store.ts';
import type { Subscriptions } from '../../subscriptions/subscriptions.ts';
import type { ExchangeRules } from '../exchange-rules.ts';
import type { BroughtDefinitions } from './brought-definitions.ts';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

export interface FhirContext {
  readonly store: Store;
  readonly parameters: SearchParameters;
  readonly subset: Subsetter;
  readonly clock: Clock;
  /** The codes that `:in`, `:not-in`, `:above` and `:below` stand for. */
  readonly tokenSets: TokenSets;
  /** R4's and what is installed; stored-terminology.ts adds what is stored. */
  readonly terminology: Terminology;
  /** What came with Baton or with guides: questionnaires, plan definitions and the like, by canonical. */
  readonly artefacts: Artefacts;
  /** Those of them that came with Baton, as resources to read and search. */
  readonly brought: BroughtDefinitions;
  readonly validate: Validator['validate'];
  readonly isType: (type: string) => boolean;
  /** FHIR base URL without trailing slash. */
  readonly base: () => string;
  /** The CapabilityStatement as JSON text. */
  readonly capabilities: () => string;
  /** The TerminologyCapabilities as JSON text. */
  readonly terminologyCapabilities: () => string;
  readonly maxBundleEntries: number;
  /** How documents from elsewhere are matched and merged. */
  readonly exchangeRules: ExchangeRules;
  readonly pathways: Pathways;
  readonly panels: Panels;
  readonly evidence: EvidenceSources;
  /** IANA time zone in which days begin and end here. */
  readonly zone: string;
  /** Security labels that need a permit. */
  readonly labelPolicy: LabelPolicy;
  /** Absent: nobody is told of changes. */
  readonly subscriptions?: Subscriptions | undefined;
}

/** One request below the FHIR base. */
export interface FhirRequest {
  readonly grant: Grant;
  /** Path parameters of the route: type, id, version, target. */
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters and, for `_search`, those of the form. */
  readonly pairs: Pairs;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  /** FHIR instant of the version that the answer is about; the header has only seconds. */
  readonly lastUpdated?: string;
  /** Ids of the patients it shows, for the audit trail; absent when they are to be found from what was asked. */
  readonly patients?: readonly string[] | undefined;
}

export type FhirHandler = (context: FhirContext, request: FhirRequest) => Promise<Answer>;
