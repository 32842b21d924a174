// What is known of a product beyond its CapabilityStatement. Data, one file per product; /metadata of the actual server
// decides wherever it speaks.

export interface Vendor {
  readonly name: string;
  /** Whether an update must carry If-Match, may, or only when the server says that it keeps versions. */
  readonly ifMatch: 'required' | 'supported' | 'as-stated';
  /** Search parameters that work for every searchable type although statements often leave them out. */
  readonly unlistedSearch: readonly string[];
  /** How long a resource may stay invisible to searches after it was created, seconds. */
  readonly visibilitySeconds: number;
  /** Bounds that nobody complains about. */
  readonly requestsPerSecond: number;
  readonly concurrency: number;
  /** `_count` of searches. */
  readonly pageSize: number;
  /** Whether a search can be asked for some elements only, so that ids and versions can be listed (`_elements`). */
  readonly elements: boolean;
  /** `_lastUpdated` is understood only beside a patient. */
  readonly lastUpdatedNeedsPatient: boolean;
  /** Types whose `_lastUpdated` beside a patient takes one bound; the others take a closed range. */
  readonly openRanges?: readonly string[];
  /**
   * By type: what a patient's search has to say besides the patient, each for a request of its own. A type that is not
   * named is searched plainly first, then as US Core lets servers demand.
   */
  readonly required: Readonly<Record<string, readonly string[]>>;
  /** Codes of warnings that come with a search answer and do not mean that something is missing from it. */
  readonly harmlessOutcomes: readonly string[];
  /** Codes of refusals that are about one patient, not about the type. */
  readonly restrictedOutcomes: readonly string[];
  /** Shortest look back before a watermark, seconds: twice the longest transaction there, as far as it is known. */
  readonly overlapSeconds: number;
  /** What stands in for types it cannot take, where a connection does not say. Nothing when absent. */
  readonly projections?: Readonly<Record<string, 'DocumentReference' | 'Communication' | 'ServiceRequest'>>;
  /** Contents of a DocumentReference that it takes together; PDF and plain text when absent. */
  readonly documentFormats?: readonly ('application/pdf' | 'text/plain')[];
}
