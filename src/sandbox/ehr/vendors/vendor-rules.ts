// What a simulated vendor's server does and refuses, as data; one file per vendor. Where a fact comes from is said beside
// it: CS is the vendor's own CapabilityStatement.

export type Ability =
  | 'read'
  | 'vread'
  | 'search'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'history-instance'
  | 'history-type';

/** One type of resource at one vendor. */
export interface TypeRules {
  /** Abilities, with spaces between them. */
  readonly can: string;
  /** Search parameters, with spaces between them; `*` is everything that R4 defines. */
  readonly search: string;
  /** A search must have all parameters of at least one row. Absent: any search that has a parameter. */
  readonly needs?: readonly (readonly string[])[];
  /** Parameter -> one of these must stand beside it. */
  readonly beside?: Readonly<Record<string, readonly string[]>>;
  /** Parameter -> the only values it takes. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Parameter that must come alone; paging does not count. */
  readonly alone?: readonly string[];
  /** Date parameters that must come as a pair of bounds. */
  readonly pairs?: readonly string[];
  /** A search finds only resources whose element has one of these values. */
  readonly finds?: Readonly<Record<string, readonly string[]>>;
  /** Elements that are never returned. */
  readonly hides?: readonly string[];
  /** Elements that a create must have, dotted. */
  readonly createNeeds?: readonly string[];
  /** Elements that a write must not have. */
  readonly refuses?: readonly string[];
  /** JSON Patch may touch these paths and what is below them. */
  readonly patchable?: readonly string[];
  /** Elements that are returned as unknown when nobody recorded them. */
  readonly absent?: readonly string[];
  /** Most matches of one search, said so in the Bundle. */
  readonly cap?: number;
}

/** Why a request is refused; each vendor has its own status and code for it. */
export type Reason =
  | 'unknown-type'
  | 'not-offered'
  | 'not-found'
  | 'deleted'
  | 'merged'
  | 'no-parameters'
  | 'parameter-missing'
  | 'parameter-combination'
  | 'parameter-value'
  | 'parameter-unknown'
  | 'page-expired'
  | 'version-missing'
  | 'version-stale'
  | 'several-match'
  | 'syntax'
  | 'element-missing'
  | 'element-refused'
  | 'reference-unknown'
  | 'not-mapped'
  | 'duplicate'
  | 'quota'
  | 'tenant'
  | 'scope'
  | 'login'
  | 'format'
  | 'restricted';

export interface RefusalRow {
  readonly status: number;
  /** IssueType of the OperationOutcome. */
  readonly code: string;
  /** The vendor's own code. */
  readonly own?: string;
}

/** Said beside results, in an OperationOutcome entry. */
export type Notice = 'nothing-found' | 'perhaps-incomplete' | 'too-many' | 'parameter-ignored';

export interface VendorRules {
  readonly name: 'epic' | 'oracle' | 'hapi';
  /** CapabilityStatement.software; absent where the vendor does not say. */
  readonly software?: { readonly name: string; readonly version: string };
  readonly tenant: string;
  /** Path of the FHIR base. */
  readonly path: (tenant: string) => string;
  readonly types: Readonly<Record<string, TypeRules>>;
  readonly systemAbilities: readonly ('batch' | 'transaction' | 'history-system')[];
  readonly formats: readonly string[];
  readonly patchFormats: readonly string[];
  /** Whether versions are shown: ETag, `meta.versionId`, `meta.lastUpdated`. */
  readonly versions: boolean;
  readonly ifMatch: 'required' | 'honoured';
  /** If-None-Exist, and PUT to an id of the client's choice. */
  readonly conditional: boolean;
  /** Whether a write answers with the resource. */
  readonly returnsBody: boolean;
  /** Only JSON, and says so with 406. */
  readonly strictAccept: boolean;
  readonly unknownParameters: 'ignored' | 'refused';
  /** `stable` pages keep their order; `loose` ones are unsorted inside, and neighbours may share an entry. */
  readonly paging: {
    /** Path and query after the FHIR base. */
    readonly link: (type: string, token: string) => string;
    readonly parameter: string;
    readonly page: number;
    readonly most: number;
    readonly liveSeconds: number;
    readonly loose: boolean;
  };
  readonly tokens: {
    readonly seconds: number;
    readonly algorithms: readonly ('RS384' | 'ES384')[];
    /** `system/Task.read` and `.write` instead of `.cruds`. */
    readonly scopes: 'v1' | 'both';
    /** Also takes a client secret in the Authorization header. */
    readonly secret: boolean;
  };
  readonly ids: 'number' | 'opaque';
  /** Rows that differ from the common ones. */
  readonly refusals: Partial<Record<Reason, RefusalRow>>;
  /** Code system of `own`; absent where the vendor has none. */
  readonly ownSystem?: string;
  readonly notices: Partial<Record<Notice, { readonly code: string; readonly own: string; readonly text: string }>>;
  /** Takes active content out of narratives. */
  readonly sanitisesText: boolean;
  /** Documents a client may file each day; undefined when there is no bound. */
  readonly documentsPerDay?: number;
  /** Observation codes that something is mapped to; others are refused. */
  readonly mappedCodes?: readonly string[];
}
