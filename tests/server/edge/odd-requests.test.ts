// Whatever is asked, of any door: no answer shows how Baton is made, and each refusal is FHIR's or OAuth's JSON.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIntake } from '../../../src/intake/receive.ts';
import { FACILITIES } from '../../intake/fixture.ts';
import { testParameters } from '../../support/store-rules.ts';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;
let tokens: readonly (string | undefined)[];

beforeAll(async () => {
  const log = pino({ level: 'silent' });
  baton = await serve(({ store, clock }) => ({
    corsOrigins: ['https://app.example'],
    trustProxy: ['127.0.0.1'],
    intake: createIntake({ store, clock, facilities: FACILITIES, parameters: testParameters, log }),
  }));
  await baton.fhir('PUT', '/Patient/p', { body: { resourceType: 'Patient', id: 'p' } });
  const full = `Bearer ${await baton.token('system/*.cruds')}`;
  const narrow = `Bearer ${await baton.token('patient/*.rs', 'p')}`;
  tokens = [
    ...Array<string>(12).fill(full),
    narrow,
    narrow,
    undefined,
    `${full}x`,
    'Bearer a.b.c',
    'Basic OjpAOg==',
    'Bearer',
    '',
  ];
});
afterAll(() => baton.close());

/** A stack frame, a path of a file, a library or an error code of one. */
const INSIDE =
  /^\s+at |node_modules|node:|\/src\/|\.[jt]s:\d|file:\/\/|fastify|FST_|\bajv\b|sqlite|\bjose\b|ERR_[A-Z]|undici|pino|TypeError|RangeError|SyntaxError|\bSELECT\b|\bconstraint failed\b|Cannot read|is not a function|undefined/im;

const DOORS = [
  ...['/fhir/R4', '/fhir/R4/Patient', '/fhir/R4/Patient/p', '/fhir/R4/Patient/p/_history/1', '/fhir/R4/_history'],
  ...['/fhir/R4/Patient/_search', '/fhir/R4/Patient/$validate', '/fhir/R4/ValueSet/$expand', '/fhir/R4/metadata'],
  ...['/fhir/R4/Patient/p/$everything', '/fhir/R4/CodeSystem/$lookup', '/fhir/R4/.well-known/smart-configuration'],
  ...['/oauth/token', '/ops/outbox', '/ops/audit', '/ops/deliveries', '/ops/follow-ups', '/ops/conflicts/1/resolve'],
  ...['/ops/messages', '/ops/sweep', '/intake/hl7v2', '/metrics', '/healthz', '/readyz', '/.well-known/jwks.json'],
  ...['/', '//', '/fhir', '/fhir/R4/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/favicon.ico', '/.git/config'],
];
const odd = fc.oneof(
  fc.constantFrom(
    '%00',
    '%0d%0aX: y',
    '..',
    '%2F',
    '%ff',
    '__proto__',
    '$x',
    "' OR 1=1 --",
    '<script>',
    '{{7*7}}',
    '\u{1F469}',
  ),
  fc.string({ maxLength: 40 }),
);
const text = fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('a'.repeat(5_000)));
const path = fc
  .tuple(fc.constantFrom(...DOORS), fc.array(odd, { maxLength: 2 }), fc.array(fc.tuple(odd, text), { maxLength: 3 }))
  .map(([door, more, query]) => {
    const tail = more.map((part) => `/${encodeURI(part.toWellFormed())}`).join('');
    const pairs = query.map(
      ([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURI(value.toWellFormed())}`,
    );
    return `${door}${tail}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
  });
const headerValue = fc.oneof(
  fc.constantFrom(
    '*/*',
    'application/fhir+json',
    'text/html',
    '*',
    'W/"1"',
    '"',
    'gzip',
    'identity;q=0',
    'return=x',
    '1, 2',
  ),
  fc.string({ unit: fc.constantFrom(...' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~'), maxLength: 60 }),
);
const headers = fc.dictionary(
  fc.constantFrom(
    ...['accept', 'accept-encoding', 'prefer', 'if-match', 'if-none-match', 'if-none-exist', 'if-modified-since'],
    ...[
      'origin',
      'access-control-request-method',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-request-id',
      'range',
      'cookie',
    ],
    ...['content-encoding', 'x-http-method-override', 'expect', 'forwarded', 'x-provenance'],
  ),
  headerValue,
  { maxKeys: 4 },
);
const body = fc.oneof(
  fc.constantFrom<string | Buffer>(
    ...['', '{}', '[]', 'null', '{"resourceType":"Patient"}', '{"resourceType":"Bundle","type":"batch","entry":[{}]}'],
    ...[
      'grant_type=client_credentials&scope=x',
      '{"take":"x"}',
      'MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|||',
    ],
    gzipSync('{}'),
    Buffer.from([0xff, 0xfe, 0x00]),
  ),
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const contentType = fc.constantFrom(
  ...['application/fhir+json', 'application/json', 'application/json-patch+json', 'application/x-www-form-urlencoded'],
  ...['application/hl7-v2', 'x-application/hl7-v2+er7', 'text/plain', 'multipart/form-data', 'nonsense', ''],
);
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'LOCK',
] as const;

it('no answer shows how Baton is made', async () => {
  const request = fc.record({ method: fc.constantFrom(...METHODS), url: path, headers, body, contentType });
  await fc.assert(
    fc.asyncProperty(request, fc.nat({ max: 19 }), async (asked, pick) => {
      const authorization = tokens[pick % tokens.length];
      const answer = await baton.server.inject({
        method: asked.method as InjectOptions['method'] & string,
        url: asked.url,
        headers: {
          ...asked.headers,
          ...(authorization === undefined ? {} : { authorization }),
          ...(asked.contentType === '' ? {} : { 'content-type': asked.contentType }),
        },
        ...(['GET', 'HEAD'].includes(asked.method) ? {} : { payload: asked.body }),
      });
      const { statusCode, payload } = answer;
      expect(statusCode).toBeLessThan(500);
      expect(answer.headers.server ?? answer.headers['x-powered-by']).toBeUndefined();
      if (statusCode < 400 || asked.method === 'HEAD') return;
      expect(payload).not.toMatch(INSIDE);
      if (answer.headers['content-type']?.toString().includes('hl7')) return;
      const json = JSON.parse(payload);
      if (json.error === undefined) expect(json.resourceType).toBe('OperationOutcome');
      else expect(typeof json.error_description).toBe('string');
    }),
    { numRuns: 3_000 },
  );
}, 120_000);
