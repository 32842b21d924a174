// What a row of the table of routes is. Everything the API does with a request follows from its row: validation, audit,
// documentation, idempotency and problems.
import type { ResourceType } from '@medplum/fhirtypes';
import type { Static, TSchema } from 'typebox';
import type { Exchange } from '../../care/document/exchange.ts';
import type { EvidenceSources } from '../../care/evidence/evidence-sources.ts';
import type { Panels } from '../../care/panels/panels.ts';
import type { Pathways } from '../../care/pathways/pathways.ts';
import type { Caller, PagedRecords, Planned } from '../../care/records.ts';
import type { Artefacts } from '../../fhir/artefacts.ts';

export type QueryMethod = 'GET';
export type CommandMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** `/cases/:id/goals/:goal` has the parameters `id` and `goal`, each an id of FHIR. */
export type ParamsOf<Path extends string> = {
  readonly [Name in NamesIn<Path>]: string;
};
type NamesIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NamesIn<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

export interface Ask<Params, Query, Body> {
  readonly records: PagedRecords;
  readonly caller: Caller;
  readonly exchange: Exchange;
  /** What came with Baton or with guides. */
  readonly installed: Artefacts;
  readonly pathways: Pathways;
  readonly panels: Panels;
  readonly evidence: EvidenceSources;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** What a command was about, for its view. */
export interface Made {
  readonly type: string;
  readonly id: string;
}

export type Rendered = string | Promise<Uint8Array>;

interface Described<Path extends string, Query extends TSchema, Answer extends TSchema> {
  /** Below `/api/v1`, e.g. `/cases/:id`. */
  readonly path: Path;
  /** What the audit trail and the OpenAPI document call it, e.g. `case-read`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** More, in Markdown. */
  readonly description?: string;
  /** Heading it is documented under, e.g. `Cases`. */
  readonly tag: string;
  /** Types of which the token must reach some to read, or the route is refused with 403. */
  readonly reads: readonly ResourceType[];
  /** Of strings, numbers and booleans; unknown parameters are refused. */
  readonly query?: Query;
  /** Of the view. Views with a member `version` answer with an ETag. */
  readonly answer: Answer;
  readonly examples?: { readonly body?: unknown; readonly answer?: unknown };
}

export interface QueryRow<Path extends string, Query extends TSchema, Answer extends TSchema>
  extends Described<Path, Query, Answer> {
  /** Undefined: 404. */
  readonly run: (ask: Ask<ParamsOf<Path>, Static<Query>, undefined>) => Promise<Static<Answer> | undefined>;
  /** Other forms of the view that a client may ask for with Accept: media type to text or bytes. */
  readonly renderings?: Readonly<Record<string, (view: Static<Answer>) => Rendered>>;
}

export interface CommandRow<Path extends string, Query extends TSchema, Body extends TSchema, Answer extends TSchema>
  extends Described<Path, Query, Answer> {
  readonly method: CommandMethod;
  /** Absent: none is taken. */
  readonly body?: Body;
  readonly plan: (ask: Ask<ParamsOf<Path>, Static<Query>, Static<Body>>) => Promise<Planned>;
  /** Of what was made, read again after the commit. */
  readonly view: (
    ask: Ask<ParamsOf<Path>, Static<Query>, Static<Body>>,
    made: Made,
  ) => Promise<Static<Answer> | undefined>;
}

type LooseAsk = Ask<Record<string, string>, never, never>;
type LooseDescribed = Described<string, TSchema, TSchema>;

export type QueryRoute = LooseDescribed & {
  readonly method: QueryMethod;
  readonly run: (ask: LooseAsk) => Promise<unknown>;
  readonly renderings?: Readonly<Record<string, (view: never) => Rendered>>;
};

export type CommandRoute = LooseDescribed & {
  readonly method: CommandMethod;
  readonly body?: TSchema;
  readonly plan: (ask: LooseAsk) => Promise<Planned>;
  readonly view: (ask: LooseAsk, made: Made) => Promise<unknown>;
};

export type ApiRoute = QueryRoute | CommandRoute;

/** Server-sent events, which have a handler of their own. Its answer is a text. */
export type StreamRoute = LooseDescribed & { readonly method: QueryMethod; readonly isStream: true };

export function query<Path extends string, Query extends TSchema, Answer extends TSchema>(
  row: QueryRow<Path, Query, Answer>,
): QueryRoute {
  return { ...row, method: 'GET' } as unknown as QueryRoute;
}

export function command<Path extends string, Query extends TSchema, Body extends TSchema, Answer extends TSchema>(
  row: CommandRow<Path, Query, Body, Answer>,
): CommandRoute {
  return row as unknown as CommandRoute;
}
