// The same requests to servers that hold more and less, and what may differ between their answers: nothing but ids that are
// made anew and positions in a list.
import type { LightMyRequestResponse } from 'fastify';
import { FULL_SCOPE } from '../../../src/access/scopes.ts';
import type { Store } from '../../../src/store/store.ts';
import { type Method, serve } from '../../server/serve.ts';
import { openTempStore } from '../../support/temp-store.ts';
import { NOW } from '../oracle/match-value.ts';
import { keyOf, Population } from '../oracle/population.ts';
import { type PlainGrant, scopeText } from './grants.ts';
import type { Write } from './people.ts';

export interface Asked {
  readonly method: Method;
  /** Below the FHIR base, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
  /** Why the answer may fall short of what a whole token finds in the smaller store. */
  readonly fallsShort?: string;
}

/** What is compared of an answer. */
export interface Told {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
  /** Path of the next page. */
  readonly next?: string;
}

export interface World {
  readonly store: Store;
  ask(asked: Asked, token: string): Promise<Told>;
  tokenFor(grant: PlainGrant): Promise<string>;
  readonly everything: string;
  /** What is stored now. */
  population(): Promise<Population>;
  /** Every current row outside of the keys given, byte for byte. */
  rowsOutside(keys: ReadonlySet<string>): Promise<string[]>;
  close(): Promise<void>;
}

const STARTED = Temporal.Instant.from('2025-06-30T23:59:58.900Z');
const WRITER = { reference: 'test', kind: 'service' } as const;

/**
 * @param writes in order; the time of each is that of its place, so that a world with fewer of them has the same versions
 * @param isThere whether a resource is in this world
 */
export async function openWorld(writes: readonly Write[], isThere: (write: Write) => boolean): Promise<World> {
  const time = { now: STARTED };
  const clock = { now: () => time.now, real: () => Temporal.Now.instant() };
  const temp = await openTempStore({
    engine: 'sqlite',
    // The population is of any shape; how resources must look, and what may follow what, is not what
    // this is about.
    validate: () => [],
    revisions: undefined,
    referentialIntegrity: 'transaction',
    clock,
  });
  const { store } = temp;
  for (const [at, write] of writes.entries()) {
    if (!isThere(write)) continue;
    time.now = STARTED.add({ milliseconds: at * 73 });
    const { type, id, resource } = write;
    await store.commit(WRITER, [resource ? { op: 'update', resource } : { op: 'delete', type, id }]);
  }
  time.now = Temporal.Instant.from(NOW);
  const baton = await serve({ store, clock });
  const rows = async () =>
    store.query('SELECT type, id, version, updated, content FROM resource WHERE deleted = 0 ORDER BY rid');
  return {
    store,
    everything: await baton.token(FULL_SCOPE),
    tokenFor: (grant) =>
      grant.user === undefined
        ? baton.token(scopeText(grant), grant.patient)
        : baton.tokenOf(grant.user, scopeText(grant), grant.patient),
    async ask({ method, path, headers = {}, body }, token) {
      const answer = await baton.fhir(method, path, { as: token, headers, ...(body === undefined ? {} : { body }) });
      const next = /"relation":"next","url":"([^"]+)"/.exec(answer.text)?.[1];
      return {
        status: answer.status,
        headers: alike(JSON.stringify(HEADERS.map((name) => answer.headers[name] ?? null))),
        text: alike(answer.text),
        ...(next === undefined ? {} : { next: next.replace(/^.*\/fhir\/R4/, '') }),
      };
    },
    async population() {
      const found = (await rows()).map(({ content }) => JSON.parse(String(content)));
      return new Population(found, new Map(found.map((one) => [keyOf(one), one.meta.lastUpdated])));
    },
    async rowsOutside(keys) {
      return (await rows()).filter(({ type, id }) => !keys.has(`${type}/${id}`)).map((row) => JSON.stringify(row));
    },
    async close() {
      await baton.close();
      await temp.cleanup();
    },
  };
}

const HEADERS: readonly (keyof LightMyRequestResponse['headers'])[] = [
  'etag',
  'last-modified',
  'location',
  'content-type',
  'www-authenticate',
];

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Ids that are made anew are numbered; a position names the row, which is another one in the smaller store. */
function alike(text: string): string {
  const seen = new Map<string, string>();
  const numbered = text.replace(UUID, (uuid) => {
    const known = seen.get(uuid) ?? `uuid-${seen.size}`;
    seen.set(uuid, known);
    return known;
  });
  return numbered.replace(/_cursor=[\w-]+/g, '_cursor=…');
}

/** Follows an answer through its pages, in both worlds at once; the first page that differs. */
export async function differing(
  asked: Asked,
  [one, oneToken]: readonly [World, string],
  [other, otherToken]: readonly [World, string],
  isEqual: (a: Told, b: Told) => boolean,
): Promise<{ readonly one: Told; readonly other: Told } | undefined> {
  let [left, right] = [await one.ask(asked, oneToken), await other.ask(asked, otherToken)];
  for (let page = 0; page < 50; page++) {
    if (!isEqual(left, right)) return { one: left, other: right };
    if (left.next === undefined || right.next === undefined || asked.method !== 'GET') return undefined;
    const headers = asked.headers ?? {};
    [left, right] = [
      await one.ask({ method: 'GET', path: left.next, headers }, oneToken),
      await other.ask({ method: 'GET', path: right.next, headers }, otherToken),
    ];
  }
  throw new Error(`The pages of ${asked.path} do not end.`);
}
