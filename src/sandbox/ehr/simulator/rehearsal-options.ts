// What `baton sandbox ehr` may be told, apart from what it does: reading a command line needs no simulated server.
const text = { type: 'string' } as const;
const yes = { type: 'boolean' } as const;

/** Options of the command, for `parseArgs`. */
export const REHEARSAL_OPTIONS = {
  ...{ vendor: text, port: text, tenant: text, seed: text, latency: text, data: text, patients: text },
  ...{ 'client-id': text, 'jwks-url': text, open: yes },
} as const;

export type RehearsalOptions = {
  readonly [K in Exclude<keyof typeof REHEARSAL_OPTIONS, 'open'>]?: string | undefined;
} & {
  readonly open?: boolean | undefined;
};
