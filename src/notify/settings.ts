// How people are reached, as the configuration says it: channels, and routes to them.

interface ChannelSettings {
  /** Unique; what routes, tables and logs call it. */
  readonly name: string;
  /** Attempts before the next channel of the route has it. */
  readonly attempts: number;
  /** Minutes that messages which are not urgent wait for others to the same address; 0: none. */
  readonly digestMinutes: number;
  /** Local times of day between which only urgent messages leave, in the facility's time zone. */
  readonly quiet?: { readonly from: string; readonly until: string };
}

export interface WebhookSettings extends ChannelSettings {
  readonly kind: 'webhook';
  readonly url: string;
  /** Of Standard Webhooks: `whsec_` and base64. */
  readonly secret: string;
}

export interface EmailSettings extends ChannelSettings {
  readonly kind: 'email';
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS is required, except on this machine. */
  readonly secure: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly from: string;
  /** PEM file of who signed the server's certificate. */
  readonly caFile?: string;
}

export type Channel = WebhookSettings | EmailSettings;

/** The first route whose conditions hold is taken; an absent condition holds for everything. */
export interface Route {
  /** Codes of facilities. */
  readonly facilities?: readonly string[];
  /** Codes of CodeSystem message-reason. */
  readonly reasons?: readonly string[];
  /** References, as `Practitioner/12`. */
  readonly recipients?: readonly string[];
  /** Names of channels, in the order in which they are tried. */
  readonly channels: readonly string[];
  /** Mail addresses instead of those of the recipients. */
  readonly addresses?: readonly string[];
  /** Who is told when all channels have failed. */
  readonly supervisor?: { readonly channel: string; readonly addresses?: readonly string[] };
}

/** Who is told of alerts. */
export interface Operators {
  /** Names of channels, in the order in which they are tried. */
  readonly channels: readonly string[];
  /** Mail addresses; needed by channels of mail. */
  readonly addresses?: readonly string[];
  /** Names of alerts, as `heartbeat.stopped`; all when absent. */
  readonly alerts?: readonly string[];
}

export interface NotifySettings {
  readonly channels: readonly Channel[];
  /** Absent: alerts are in the log, `/ops/alerts` and `/metrics` only. */
  readonly operators?: Operators;
  readonly routes: readonly Route[];
  /** Where the message leads people; `{task}` is the id of the Task. Absent: the Task in the FHIR API. */
  readonly link?: string;
}

export const NOBODY: NotifySettings = { channels: [], routes: [] };
