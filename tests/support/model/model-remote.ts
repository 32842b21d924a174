// An external FHIR server as a function from request to answer: no socket, so that hundreds of thousands of steps are
// affordable. It can be backed up, restored, hidden from, cut off and throttled.
import { randomUUID } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { httpDate, identifiersOf } from '../fake-remote-knobs.ts';

type Body = Resource & { id: string };

interface Row {
  readonly body: Body;
  readonly version: number;
  /** True time from which searches show it. */
  readonly visibleAt: number;
  /** What searches show until then. */
  readonly before: Row | undefined;
}

export interface ModelKnobs {
  readonly conditionalCreate: boolean;
  readonly versioning: boolean;
  readonly transactions: boolean;
  readonly secondPrecision: boolean;
  readonly pageSize: number;
  /** Rewrites every body it is given, as servers do. */
  readonly normalise: boolean;
  /** Pages repeat the last entry of the page before. */
  readonly repeatAcrossPages: boolean;
  /** Gives ids in turn, and so, after a restore, once more. */
  readonly countsIds?: boolean;
  /** Finds what there is of one patient. */
  readonly findsOfPatient?: boolean;
}

/** How the next requests go wrong. */
export type Trouble =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'drop'; readonly effect: 'before' | 'after' }
  | { readonly kind: 'html' };

export interface ModelRemote {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** POST, PUT and DELETE that had an effect. */
  writes: number;
  requests: number;
  /** No request gets an answer. */
  down: boolean;
  /** Milliseconds that what is written now stays out of searches. */
  lateness: number;
  readonly troubles: Trouble[];
  /** `Type/id` to how all requests for it are answered; with 410 searches do not show it either. */
  readonly failing: Map<string, 410 | 500>;
  all(type: string): Body[];
  /** Everything that is not there any more but was. */
  readonly removed: ReadonlySet<string>;
  put(resource: Resource): Body;
  remove(type: string, id: string): void;
  backup(): () => void;
  /** An id that it never gave: theirs in the place of theirs is nothing that anybody could tell from an edit. */
  freshId(): string;
}

const TYPES = ['Patient', 'CarePlan', 'Goal', 'Task', 'Appointment', 'Account'];

/**
 * @param now the server's clock, epoch milliseconds
 * @param time true time, which its clock may be off from
 */
export function modelRemote(host: string, knobs: ModelKnobs, now: () => number, time: () => number): ModelRemote {
  const baseUrl = `http://${host}/fhir`;
  let rows = new Map<string, Row>();
  let removed = new Set<string>();
  let given = 0;
  let mostGiven = 0;

  const remote: ModelRemote = {
    baseUrl,
    writes: 0,
    requests: 0,
    down: false,
    lateness: 0,
    troubles: [],
    failing: new Map(),
    get removed() {
      return removed;
    },
    all: (type) => [...rows.values()].map(({ body }) => body).filter(({ resourceType }) => resourceType === type),
    put: (resource) => write(resource, resource.id ?? remote.freshId()).body,
    remove(type, id) {
      rows.delete(`${type}/${id}`);
      removed.add(`${type}/${id}`);
    },
    backup() {
      const [kept, gone, last] = [new Map(rows), new Set(removed), given];
      return () => {
        given = last;
        rows = new Map(kept);
        removed = new Set(gone);
      };
    },
    freshId() {
      given = Math.max(given, mostGiven);
      return nextId();
    },
    fetch: async (input, init) => answer(new URL(String(input)), init ?? {}),
  };

  function nextId(): string {
    given += 1;
    mostGiven = Math.max(mostGiven, given);
    return knobs.countsIds ? String(given) : randomUUID();
  }

  function write(resource: Resource, id: string): Row {
    const key = `${resource.resourceType}/${id}`;
    const known = rows.get(key);
    const version = (known?.version ?? 0) + 1;
    const lastUpdated = stamp(now());
    const body = structuredClone(resource) as Body;
    if (knobs.normalise && 'description' in body) body.description = String(body.description).trim();
    if (knobs.normalise) delete (body as { language?: string }).language;
    const row = {
      body: { ...body, id, meta: { ...body.meta, versionId: String(version), lastUpdated } },
      version,
      visibleAt: time() + remote.lateness,
      // An edit does not hold back what was written before it: that shows when its own time has come.
      before: known && since(known, time()),
    };
    rows.set(key, row);
    removed.delete(key);
    return row;
  }

  const stamp = (milliseconds: number) =>
    Temporal.Instant.fromEpochMilliseconds(milliseconds).toString({
      smallestUnit: knobs.secondPrecision ? 'second' : 'millisecond',
    });

  async function answer(url: URL, init: RequestInit): Promise<Response> {
    remote.requests += 1;
    const safe = (init.method ?? 'GET') === 'GET';
    if (remote.down) throw refused();
    const trouble = url.pathname.endsWith('/metadata') ? undefined : remote.troubles.shift();
    if (trouble?.kind === 'status') {
      const headers: Record<string, string> =
        trouble.retryAfter === undefined ? {} : { 'retry-after': trouble.retryAfter };
      return respond(trouble.status, { resourceType: 'OperationOutcome', issue: [] }, headers);
    }
    if (trouble?.kind === 'html') return new Response('<html>please sign in</html>', { status: 200 });
    if (trouble?.kind === 'drop' && trouble.effect === 'before') throw reset();
    const response = safe ? read(url) : change(url, init);
    if (!safe && response.ok) remote.writes += 1;
    if (trouble?.kind === 'drop') throw reset();
    return response;
  }

  function read(url: URL): Response {
    const [type = '', id] = url.pathname.replace('/fhir', '').split('/').filter(Boolean);
    if (type === 'metadata') return respond(200, statement(knobs));
    if (id === undefined) return respond(200, search(type, url.searchParams));
    const failing = remote.failing.get(`${type}/${id}`);
    if (failing) return outcome(failing);
    const row = rows.get(`${type}/${id}`);
    return row ? respondRow(200, row) : outcome(removed.has(`${type}/${id}`) ? 410 : 404);
  }

  function search(type: string, parameters: URLSearchParams): Bundle {
    const since = parameters.get('_lastUpdated')?.slice(2);
    const from = since === undefined ? undefined : stamp(Temporal.Instant.from(since).epochMilliseconds);
    const tokens = parameters.get('identifier')?.split(',');
    const patient = parameters.get('patient');
    const found = [...rows.values()]
      .filter(({ body }) => body.resourceType === type && remote.failing.get(`${type}/${body.id}`) !== 410)
      .flatMap((row) => visible(row, time())?.body ?? [])
      .filter((body) => from === undefined || String(body.meta?.lastUpdated) >= from)
      .filter((body) => patient === null || JSON.stringify(body).includes(`"Patient/${patient}"`))
      .filter((body) => !tokens || identifiersOf(body).some((token) => tokens.includes(token)))
      .sort((a, b) => (String(a.meta?.lastUpdated) < String(b.meta?.lastUpdated) ? -1 : 1));
    const { pageSize, repeatAcrossPages } = knobs;
    const offset = Number(parameters.get('_offset') ?? 0);
    const next = new URLSearchParams(parameters);
    next.set('_offset', String(offset + pageSize));
    const more = offset + pageSize < found.length;
    return {
      resourceType: 'Bundle',
      type: 'searchset',
      link: more ? [{ relation: 'next', url: `${baseUrl}/${type}?${next}` }] : [],
      entry: found
        .slice(Math.max(0, repeatAcrossPages ? offset - 1 : offset), offset + pageSize)
        .map((resource) => ({ resource, search: { mode: 'match' } })),
    };
  }

  function change(url: URL, init: RequestInit): Response {
    const [type = '', id = ''] = url.pathname.replace('/fhir', '').split('/').filter(Boolean);
    const headers = new Headers(init.headers);
    if (init.method === 'DELETE') {
      remote.remove(type, id);
      return new Response(null, { status: 204 });
    }
    const body = JSON.parse(String(init.body));
    if (type === '') return respond(200, transact(body));
    if (init.method === 'POST') {
      const { status, row } = create(type, body, headers.get('if-none-exist') ?? undefined);
      return row ? respondRow(status, row) : outcome(412);
    }
    const key = `${type}/${id}`;
    const failing = remote.failing.get(key);
    if (failing) return outcome(failing);
    const known = rows.get(key);
    if (!known) return outcome(removed.has(key) ? 410 : 404);
    const ifMatch = headers.get('if-match');
    if (ifMatch && ifMatch !== `W/"${known.version}"`) return outcome(412);
    return respondRow(200, write(body, id));
  }

  function create(type: string, body: Resource, ifNoneExist: string | undefined): { status: number; row?: Row } {
    if (ifNoneExist !== undefined && knobs.conditionalCreate) {
      const token = new URLSearchParams(ifNoneExist).get('identifier') ?? '';
      const found = remote.all(type).filter((one) => identifiersOf(one).includes(token));
      if (found.length > 1) return { status: 412 };
      const row = found[0] && rows.get(`${type}/${found[0].id}`);
      if (row) return { status: 200, row };
    }
    return { status: 201, row: write(body, nextId()) };
  }

  function transact(bundle: Bundle): Bundle {
    const made = (bundle.entry ?? []).map(({ resource, fullUrl, request }) => {
      const type = String(resource?.resourceType);
      const { status, row } = create(type, resource as Resource, request?.ifNoneExist);
      return { status, row, type, fullUrl: String(fullUrl) };
    });
    const ids = made.map(({ fullUrl, type, row }) => [fullUrl, `${type}/${row?.body.id}`] as const);
    const entry = made.map(({ status, row, type }) => {
      if (row && status === 201) {
        const text = ids.reduce(
          (json, [from, to]) => json.replaceAll(`"${from}"`, `"${to}"`),
          JSON.stringify(row.body),
        );
        rows.set(`${type}/${row.body.id}`, { ...row, body: JSON.parse(text) });
      }
      const location = `${type}/${row?.body.id}/_history/${row?.version}`;
      return { response: { status: String(status), location, etag: `W/"${row?.version}"` } };
    });
    return { resourceType: 'Bundle', type: 'transaction-response', entry };
  }

  function respondRow(status: number, { body, version }: Row): Response {
    return respond(status, body, {
      location: `${baseUrl}/${body.resourceType}/${body.id}/_history/${version}`,
      ...(knobs.versioning ? { etag: `W/"${version}"` } : {}),
    });
  }

  function respond(status: number, body: object, headers: Record<string, string> = {}): Response {
    const known = { 'content-type': 'application/fhir+json', date: httpDate(now()) };
    return new Response(JSON.stringify(body), { status, headers: { ...known, ...headers } });
  }

  const outcome = (status: number) => respond(status, { resourceType: 'OperationOutcome', issue: [] });
  return remote;
}

/** What a search shows of it. */
function visible(row: Row | undefined, time: number): Row | undefined {
  return row && row.visibleAt > time ? visible(row.before, time) : row;
}

/** The row with what searches may still show instead of it, and nothing older. */
function since(row: Row, time: number): Row {
  if (row.visibleAt <= time) return { ...row, before: undefined };
  return { ...row, before: row.before && since(row.before, time) };
}

function statement({ versioning, conditionalCreate, transactions, findsOfPatient }: ModelKnobs): object {
  const interaction = ['read', 'search-type', 'create', 'update', 'delete'].map((code) => ({ code }));
  const stated = { versioning: versioning ? 'versioned-update' : 'no-version', conditionalCreate };
  const names = ['identifier', ...(findsOfPatient ? ['_lastUpdated', 'patient'] : [])];
  const searchParam = names.map((name) => ({ name, type: 'token' }));
  const resource = TYPES.map((type) => ({ type, ...stated, interaction, searchParam }));
  const system = transactions ? [{ code: 'transaction' }] : [];
  return {
    resourceType: 'CapabilityStatement',
    fhirVersion: '4.0.1',
    software: { name: 'model' },
    rest: [{ mode: 'server', interaction: system, resource }],
  };
}

function refused(): Error {
  return Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
}

function reset(): Error {
  return Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
}
