// A server to search in for the numbered rules: resources go in and questions come back through HTTP alone.
import { expect } from 'vitest';
import { type Answer, FHIR, type Json, serve, type TestServer } from '../server/serve.ts';

export interface Asked {
  readonly baton: TestServer;
  /** Creates or replaces valid resources, each under its id. */
  put(...resources: object[]): Promise<void>;
  /** The answer to `Type?query`, which must be 200 and the same by GET and by POST to `_search`. */
  search(url: string): Promise<Answer>;
  /** Ids of the matches, in order. */
  ids(url: string): Promise<string[]>;
  /** Ids of the matches, sorted: for rules that are not about order. */
  found(url: string): Promise<string[]>;
  /** `Type/id` of what is included, sorted. */
  included(url: string): Promise<string[]>;
  /** The first page and all that its `next` links lead to; `between` runs after every page. */
  pages(url: string, between?: (page: number) => Promise<unknown>): Promise<Answer[]>;
  close(): Promise<void>;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Opens a server on an empty store and fills it. */
export async function ask(...resources: object[]): Promise<Asked> {
  const baton = await serve();
  const search = async (url: string) => {
    const [type = '', query = ''] = url.split(/\?(.*)/s);
    const asked = await baton.fhir('GET', `/${url}`);
    expect([asked.status, asked.json.type], `${url}: ${asked.text.slice(0, 500)}`).toEqual([200, 'searchset']);
    const posted = await baton.fhir('POST', `/${type}/_search`, { body: query, headers: FORM });
    expect([posted.json.total, posted.json.entry], `POST of ${url}`).toEqual([asked.json.total, asked.json.entry]);
    return asked;
  };
  const asked: Asked = {
    baton,
    async put(...more) {
      const entry = (more as Json[]).map((resource) => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }));
      for (let at = 0; at < entry.length; at += 2_000) {
        const body = { resourceType: 'Bundle', type: 'batch', entry: entry.slice(at, at + 2_000) };
        const { json } = await baton.fhir('POST', '', { body });
        for (const { response } of json.entry ?? []) expect(response, JSON.stringify(response)).toMatchObject(WRITTEN);
      }
    },
    search,
    ids: async (url) => idsOf(await search(url)),
    found: async (url) => idsOf(await search(url)).toSorted(),
    included: async (url) => namesOf(await search(url), 'include').toSorted(),
    async pages(url, between = async () => undefined) {
      const all: Answer[] = [];
      for (let next: string | undefined = `/${url}`; next; next = linkOf(all.at(-1), 'next')?.slice(FHIR.length)) {
        const page: Answer = await baton.fhir('GET', next);
        expect(page.status, page.text.slice(0, 500)).toBe(200);
        all.push(page);
        await between(all.length);
      }
      return all;
    },
    close: () => baton.close(),
  };
  await asked.put(...resources);
  return asked;
}

const WRITTEN = { status: expect.stringMatching(/^20[01]/) };

/** Ids of the entries of that mode, in order. */
export function idsOf(answer: Answer, mode = 'match'): string[] {
  return namesOf(answer, mode).map((name) => name.slice(name.indexOf('/') + 1));
}

function namesOf({ json }: Answer, mode: string): string[] {
  const entries = (json.entry ?? []).filter(({ search }) => search?.mode === mode);
  return entries.map(({ resource }) => `${resource?.resourceType}/${resource?.id}`);
}

/** URL of the link with that relation. */
export function linkOf(answer: Answer | undefined, wanted: string): string | undefined {
  return answer?.json.link?.find(({ relation }) => relation === wanted)?.url;
}

/** Expects a request to be refused with a status and an OperationOutcome that says why. */
export async function refused(baton: TestServer, url: string, status = 400): Promise<Json> {
  const answer = await baton.fhir('GET', `/${url}`);
  expect([answer.status, answer.json.resourceType], url).toEqual([status, 'OperationOutcome']);
  expect(answer.json.issue?.[0]?.details?.text).toMatch(/\w/);
  return answer.json;
}
