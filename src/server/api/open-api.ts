// The OpenAPI 3.1 document, made from the same table that the requests are served and checked by.
// https://spec.openapis.org/oas/v3.1.1
import type { TSchema } from 'typebox';
import { FAULTS, type FaultKind } from '../../fault.ts';
import { exampleOf } from './example-of.ts';
import { API_PATH } from './path.ts';
import type { ApiRoute, StreamRoute } from './route.ts';

export type OpenApi = Readonly<Record<string, unknown>>;

export interface About {
  readonly baseUrl: string;
  readonly version: string;
}

type Route = ApiRoute | StreamRoute;

export function openApi(routes: readonly Route[], { baseUrl, version }: About): OpenApi {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Baton case management', version, description: DESCRIPTION },
    servers: [{ url: `${baseUrl}${API_PATH}` }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'SMART scopes of the resource types',
        },
      },
      schemas: { Problem: PROBLEM },
      responses: Object.fromEntries(PROBLEMS.map((kind) => [kind, problemAnswer(kind)])),
    },
  };
}

const DESCRIPTION = `What nurse case managers do, in their words. Everything is kept as FHIR R4 and can be read and changed
as such below \`/fhir/R4\` too; ids are those of the FHIR resources.

Commands are carried out as a whole or not at all. Each needs the header \`Idempotency-Key\`; the same key and request get
the same answer again (\`idempotency-replayed: true\`). Views have a \`version\` and an \`ETag\`; send it back as \`If-Match\` to
be refused (412) when somebody else was faster. Lists have \`items\`, and \`next\` where there is more: send it as \`after\`.`;

function operationOf(route: Route): object {
  const { method, name, summary, description, tag, reads, answer, examples } = route;
  const isCommand = method !== 'GET';
  const body = 'body' in route ? route.body : undefined;
  const success = {
    description: 'Done',
    content: contentOf(route, answer, examples?.answer ?? exampleOf(answer)),
    headers: HEADERS,
  };
  const problems = isCommand ? PROBLEMS : PROBLEMS.filter((kind) => !COMMANDS_ONLY.has(kind));
  return {
    operationId: name,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(body ? { requestBody: { required: true, content: { 'application/json': media(body, examples?.body) } } } : {}),
    responses: {
      ...(method === 'POST' ? { 201: success, 200: success } : { 200: success }),
      ...Object.fromEntries(problems.map((kind) => [FAULTS[kind].status, { $ref: `#/components/responses/${kind}` }])),
    },
    'x-reads': reads,
  };
}

function contentOf(route: Route, answer: TSchema, example: unknown): object {
  if ('isStream' in route) return { 'text/event-stream': media(answer, example) };
  const others = 'renderings' in route ? Object.keys(route.renderings ?? {}) : [];
  return {
    'application/json': media(answer, example),
    ...Object.fromEntries(others.map((type) => [type, { schema: { type: 'string' } }])),
  };
}

const media = (schema: TSchema, example: unknown) => ({ schema, ...(example === undefined ? {} : { example }) });

const pathParameters = ({ path }: Route) =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: ID }));

const ID = { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' };

function queryParameters({ query }: Route): object[] {
  const { properties = {}, required = [] } = (query ?? {}) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(schema.description === undefined ? {} : { description: schema.description }),
    schema,
  }));
}

function headerParameters({ method, answer, ...route }: Route): object[] {
  if ('isStream' in route) return [header('Last-Event-ID', 'The last event you have')];
  const isVersioned = 'version' in ((answer as { properties?: object }).properties ?? {});
  if (method === 'GET') return isVersioned ? [header('If-None-Match', 'ETag of the view you have')] : [];
  return [
    header('Idempotency-Key', 'A value of your own, once per command', true),
    header('If-Match', 'ETag of the view you decided on'),
  ];
}

const header = (name: string, description: string, required = false) => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
});

const HEADERS = { ETag: { schema: { type: 'string' }, description: 'Of views that have a version' } };

const PROBLEMS: readonly FaultKind[] = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'precondition',
  'unprocessable',
  'throttled',
];
const COMMANDS_ONLY: ReadonlySet<FaultKind> = new Set(['conflict', 'precondition', 'unprocessable']);

const problemAnswer = (kind: FaultKind) => ({
  description: kind,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'errors', 'outcome'],
  properties: {
    type: { type: 'string', examples: ['urn:baton:problem:invalid'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', examples: ['patient is missing.'] },
    instance: { type: 'string', description: 'Names the request, as x-request-id and the log do' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          detail: { type: 'string' },
          member: { type: 'string', description: 'Of the request, e.g. goals[0].target.due' },
        },
      },
    },
    outcome: { type: 'object', description: 'The same as a FHIR OperationOutcome' },
  },
};
