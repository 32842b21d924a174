// Bulk export at a fake remote: a job that takes as many looks as a test says, files of what the remote has, and knobs.
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { FakeRemote } from './fake-remote.ts';

export interface FakeExport {
  /** Looks at the job that are answered with 202. */
  working: number;
  /** Resources in one file. */
  perFile: number;
  /** Instead of what the remote has: type to lines. */
  files: Record<string, string[]>;
  errors: string[];
  requiresAccessToken: boolean;
  /** Where files are said to lie; the remote itself when empty. */
  origin: string;
  /** Files are answered with this redirect. */
  redirect: string;
  /** The job is gone at the next look. */
  expired: boolean;
  /** Statuses that the next requests of a file are answered with. */
  fileStatuses: number[];
  /** The connection breaks off after so many lines of the next file. */
  breakAfter: number | undefined;
  /** Changes the manifest. */
  manifest: (manifest: Record<string, unknown>) => unknown;
  /** `METHOD path` of what was asked, and whether with a credential. */
  readonly asked: { what: string; authorization: string | undefined; prefer: string | undefined }[];
}

const NDJSON = 'application/fhir+ndjson';

export function fakeExport(): FakeExport & { mount: (app: FastifyInstance, remote: FakeRemote) => void } {
  const state: FakeExport = {
    working: 1,
    perFile: 3,
    files: {},
    errors: [],
    requiresAccessToken: false,
    origin: '',
    redirect: '',
    expired: false,
    fileStatuses: [],
    breakAfter: undefined,
    manifest: (manifest) => manifest,
    asked: [],
  };
  let types: string[] = [];
  let transactionTime = '';

  function linesOf(remote: FakeRemote, type: string): string[] {
    return state.files[type] ?? remote.all(type).map((resource) => JSON.stringify(resource));
  }

  function mount(app: FastifyInstance, remote: FakeRemote): void {
    app.addHook('onRequest', async ({ method, url, headers }) => {
      if (!/export|\/job|\/files/.test(url)) return;
      const { authorization, prefer } = headers;
      state.asked.push({ what: `${method} ${url}`, authorization, prefer: prefer?.toString() });
    });
    const kickOff = (query: Record<string, string>, reply: FastifyReply) => {
      types = (query._type ?? '').split(',');
      transactionTime = Temporal.Instant.fromEpochMilliseconds(remote.now).toString();
      return reply.code(202).header('content-location', `${remote.baseUrl}/job/1`).send('');
    };
    for (const url of ['/fhir/$export', '/fhir/Patient/$export', '/fhir/Group/:id/$export']) {
      app.get<{ Querystring: Record<string, string> }>(url, ({ query }, reply) => kickOff(query, reply));
    }
    app.get('/fhir/job/1', (_request, reply) => {
      if (state.expired) {
        state.expired = false;
        return reply.code(404).send('{"resourceType":"OperationOutcome","issue":[]}');
      }
      if (state.working > 0) {
        state.working -= 1;
        return reply.code(202).header('x-progress', 'working').header('retry-after', '120').send('');
      }
      const origin = state.origin || remote.baseUrl;
      const output = types.flatMap((type) => {
        const lines = linesOf(remote, type);
        const parts = Math.ceil(lines.length / state.perFile);
        return Array.from({ length: parts }, (_, part) => ({ type, url: `${origin}/files/${type}/${part}` }));
      });
      const error = state.errors.length > 0 ? [{ type: 'OperationOutcome', url: `${origin}/files/errors/0` }] : [];
      const { requiresAccessToken } = state;
      return reply.send(
        state.manifest({ transactionTime, request: `${remote.baseUrl}/$export`, requiresAccessToken, output, error }),
      );
    });
    app.delete('/fhir/job/1', (_request, reply) => reply.code(202).send(''));
    app.get<{ Params: { type: string; part: string } }>('/fhir/files/:type/:part', (request, reply) => {
      const status = state.fileStatuses.shift();
      if (status !== undefined) return reply.code(status).send('');
      if (state.redirect !== '') return reply.code(307).header('location', `${state.redirect}${request.url}`).send('');
      const { type, part } = request.params;
      const from = Number(part) * state.perFile;
      const all = type === 'errors' ? state.errors : linesOf(remote, type).slice(from, from + state.perFile);
      const { breakAfter } = state;
      state.breakAfter = undefined;
      if (breakAfter === undefined) return reply.header('content-type', NDJSON).send(`${all.join('\n')}\n`);
      reply.hijack();
      reply.raw.writeHead(200, { 'content-type': NDJSON });
      reply.raw.write(`${all.slice(0, breakAfter).join('\n')}\n`, () => reply.raw.destroy());
      return reply;
    });
  }

  return Object.assign(state, { mount });
}
