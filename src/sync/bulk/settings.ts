// What a connection says about bulk export for its first load. Its presence allows it.

export interface BulkSettings {
  /** Origins beside the server's own that files may be fetched from, without our credential: `https://storage.example`. */
  readonly fileOrigins?: readonly string[];
}

export const BULK_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    fileOrigins: { type: 'array', items: { type: 'string', pattern: '^https?://[^/\\s]+$' } },
  },
  description:
    'Allows the first load by bulk export where the server offers it; `fileOrigins` are where its files may lie (`docs/bulk-and-hints.md`).',
} as const;
