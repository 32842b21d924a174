// JSON to a Connection, or sentences about each element that cannot be. The configuration file and /ops take the same.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { Ajv, type ErrorObject } from 'ajv';
import { isTrustworthy } from '../../access/trustworthy-url.ts';
import { Fault } from '../../fault.ts';
import { isResourceType } from '../../fhir/resource-types.ts';
import { CONNECTION_SCHEMA } from './connection-schema.ts';
import { problemOfCron } from './cron.ts';
import type { Connection } from './settings.ts';

/** An element and what is wrong with it. */
export interface Problem {
  /** Dotted path within the connection: `auth.secret`. */
  readonly path: string;
  readonly sentence: string;
}

const ajv = new Ajv({ useDefaults: true, allErrors: true, discriminator: true });
const check = ajv.compile<Connection>(CONNECTION_SCHEMA);

/**
 * @param value a copy; defaults are filled in
 * @throws Fault invalid with an issue for each element at fault
 */
export function readConnection(value: unknown): Connection {
  const copy: unknown = structuredClone(value);
  if (!check(copy)) throw refusal((check.errors ?? []).map(problemOf));
  const problems = problemsOf(copy);
  if (problems.length > 0) throw refusal(problems);
  return copy;
}

/** What a schema cannot say. */
export function problemsOf(connection: Connection): Problem[] {
  const { name, auth, baseUrl, formerBaseUrls = [], tls, types, schedule = {} } = connection;
  const problems: Problem[] = [];
  const say = (path: string, sentence: string) => problems.push({ path, sentence });
  if (name in Object.prototype) say('name', `A connection cannot be called ${name}.`);
  if (!URL.canParse(baseUrl)) say('baseUrl', 'The base URL is no URL.');
  if (!formerBaseUrls.every((url) => URL.canParse(url)))
    say('formerBaseUrls', 'One of the former base URLs is no URL.');
  if (auth.type !== 'none') {
    const why = 'must be https unless it is this machine, because credentials go there.';
    if (!isTrustworthy(baseUrl)) say('baseUrl', `The base URL ${why}`);
    const tokenUrl = 'tokenUrl' in auth ? auth.tokenUrl : undefined;
    if (tokenUrl !== undefined && !isTrustworthy(tokenUrl)) say('auth.tokenUrl', `The token endpoint ${why}`);
  }
  if (/[?#]/.test(baseUrl)) say('baseUrl', 'The base URL has neither ? nor # in it.');
  if (URL.canParse(baseUrl) && new URL(baseUrl).username !== '') say('baseUrl', 'The base URL has no user in it.');
  if (tls && !baseUrl.startsWith('https:')) say('tls', 'Certificates are only used with an https base URL.');
  for (const type of Object.keys(types)) {
    const own = OWN_TYPES[type];
    if (own !== undefined) say(`types.${type}`, own);
    else if (!isResourceType(type)) say(`types.${type}`, `R4 has no resource type ${type}.`);
  }
  for (const [job, expression] of Object.entries(schedule)) {
    const problem = problemOfCron(expression);
    if (problem !== undefined) say(`schedule.${job}`, problem);
  }
  return problems;
}

/** What is each server's own, and why. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  AuditEvent: 'AuditEvent does not flow: the audit trail is what this Baton saw.',
  Subscription: 'Subscription does not flow: whom a server tells, and with which secrets, is its own affair.',
};

function problemOf({ instancePath, keyword, params, message = 'is not right' }: ErrorObject): Problem {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const element = path === '' ? 'The connection' : path;
  if (/(^|\.)(secret|token|cert|key|ca)$/.test(path)) {
    return {
      path,
      sentence: `${element} names a secret: {"env": "NAME"} or {"file": "/path"}. It is never written here.`,
    };
  }
  if (keyword === 'additionalProperties') {
    const member = String(params.additionalProperty);
    return { path: path === '' ? member : `${path}.${member}`, sentence: `There is no ${member} here.` };
  }
  if (keyword === 'required') {
    const member = String(params.missingProperty);
    return { path: path === '' ? member : `${path}.${member}`, sentence: `${member} is missing.` };
  }
  if (keyword === 'enum')
    return { path, sentence: `${element} must be ${(params.allowedValues as string[]).join(', ')}.` };
  if (keyword === 'discriminator') {
    const kinds = path.endsWith('patients') ? 'linked, group or query' : 'none, smart-backend, client-secret or token';
    return { path: `${path}.${String(params.tag)}`, sentence: `${path}.${String(params.tag)} must be ${kinds}.` };
  }
  return { path, sentence: `${element} ${message}.` };
}

function refusal(problems: readonly Problem[]): Fault {
  const issues = problems.map(({ path, sentence }): OperationOutcomeIssue => {
    const expression = path === '' ? 'Connection' : `Connection.${path}`;
    return { severity: 'error', code: 'value', details: { text: sentence }, expression: [expression] };
  });
  return new Fault('invalid', problems.map(({ sentence }) => sentence).join(' '), { issues });
}
