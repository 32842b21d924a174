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
  /** What stands in for types it cannot take, where a connection does not say. Nothing when absent. */
  readonly projections?: Readonly<Record<string, 'DocumentReference' | 'Communication' | 'ServiceRequest'>>;
  /** Contents of a DocumentReference that it takes together; PDF and plain text when absent. */
  readonly documentFormats?: readonly ('application/pdf' | 'text/plain')[];
}
