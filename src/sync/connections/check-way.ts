// The way to a server, step by step: settings, name, certificate, HTTP, token. Looks only; each step that fails says why.
import { trySecret } from '../../remote/authorization.ts';
import { readTls } from '../../remote/client-certificate.ts';
import type { NamedSecret, ReadSecret } from '../../remote/named-secret.ts';
import { resolveHost, shakeHands } from '../../remote/reach.ts';
import type { Remote } from '../../remote/remote.ts';
import { findEndpoint } from '../../remote/token-endpoint.ts';
import type { Step } from './check-report.ts';
import { networkWords, noAnswerHint, tokenHint } from './check-sentences.ts';
import { nextTime } from './cron.ts';
import type { Connection } from './settings.ts';

export interface Way {
  readonly connection: Connection;
  readonly remote: Remote;
  readonly readSecret: ReadSecret;
  readonly now: Temporal.Instant;
}

const PATIENCE = Temporal.Duration.from({ seconds: 10 });

/** Steps up to the token; the last one is bad when there is no point in going on. */
export async function checkWay(way: Way): Promise<Step[]> {
  const steps: Step[] = [];
  for (const check of [settings, name, certificate, http, token]) {
    steps.push(...(await check(way)));
    if (steps.some(({ finding }) => finding === 'bad')) break;
  }
  return steps;
}

async function settings({ connection, readSecret, now }: Way): Promise<Step[]> {
  const { auth, tls, mode, types, schedule } = connection;
  const named: (NamedSecret | undefined)[] = [
    'secret' in auth ? auth.secret : 'token' in auth ? auth.token : undefined,
    ...[tls?.cert, tls?.key, tls?.ca],
  ];
  const missing = named.flatMap((secret) => {
    const read = secret && trySecret(readSecret, secret);
    return read && !read.ok ? [read.failure.message] : [];
  });
  const step = 'settings';
  if (missing.length > 0) return missing.map((sentence) => ({ step, finding: 'bad', sentence }));
  const count = Object.keys(types).length;
  const flow = count === 0 ? 'No types are named, so nothing flows.' : `${count} types are named.`;
  const isQuiet = mode === 'off' || mode === 'dry-run' || count === 0;
  const steps: Step[] = [{ step, finding: isQuiet ? 'note' : 'ok', sentence: `The mode is ${mode}. ${flow}` }];
  const next = schedule?.pull === undefined ? undefined : nextTime(schedule.pull, now);
  if (next) steps.push({ step, finding: 'ok', sentence: `The next pull is at ${next}.` });
  return steps;
}

async function name({ remote }: Way): Promise<Step[]> {
  const found = await resolveHost(remote.baseUrl);
  const { host } = new URL(remote.baseUrl);
  if (!found.ok) {
    return [{ step: 'name', finding: 'bad', sentence: `${host} was not found: ${networkWords(found.code)}.` }];
  }
  return [{ step: 'name', finding: 'ok', sentence: `${host} is at ${found.value.join(', ')}.` }];
}

async function certificate({ connection, remote, readSecret }: Way): Promise<Step[]> {
  const step = 'tls';
  if (!remote.baseUrl.startsWith('https:')) {
    return [{ step, finding: 'note', sentence: 'Plain http: whoever is on the way can read what is sent.' }];
  }
  const texts = readTls(connection.tls ?? {}, readSecret);
  let shaken: Awaited<ReturnType<typeof shakeHands>>;
  try {
    shaken = await shakeHands(remote.baseUrl, texts, PATIENCE);
  } catch {
    return [
      { step, finding: 'bad', sentence: 'tls.cert, tls.key or tls.ca is not PEM, or they do not belong together.' },
    ];
  }
  if (!shaken.ok) return [{ step, finding: 'bad', sentence: `No secure connection: ${networkWords(shaken.code)}.` }];
  const { protocol, validUntil } = shaken.value;
  const ours = texts.cert === undefined ? '' : ' Ours is shown.';
  return [{ step, finding: 'ok', sentence: `${protocol}; its certificate is good until ${validUntil}.${ours}` }];
}

/** Without a credential first: that says whether the address is right, whatever becomes of the token. */
async function http({ connection, remote }: Way): Promise<Step[]> {
  const step = 'http';
  const reply = await remote.send({
    method: 'GET',
    url: `${remote.baseUrl}/metadata`,
    headers: { accept: 'application/fhir+json' },
  });
  if (!reply.ok) {
    const { message } = reply.failure;
    // With TLS 1.3 the handshake is over before a server says that it misses one, and a broken connection is all that is seen.
    const isBroken = /\((ECONNRESET|EPIPE|UND_ERR_SOCKET)\)/.test(message);
    const isMissed = isBroken && remote.baseUrl.startsWith('https:') && connection.tls?.cert === undefined;
    const missed = isMissed ? ' It may want a certificate of ours: set tls.cert and tls.key.' : '';
    return [{ step, finding: 'bad', sentence: `${noAnswerHint(message)}${missed}` }];
  }
  const { status } = reply.value;
  if (status === 200) return [{ step, finding: 'ok', sentence: '/metadata answers.' }];
  if (status === 401 || status === 403) {
    return [{ step, finding: 'ok', sentence: `/metadata answers ${status}: the server asks who we are first.` }];
  }
  return [
    { step, finding: 'bad', sentence: `/metadata answers ${status}: this is no FHIR base URL, or the server is down.` },
  ];
}

async function token({ connection: { auth }, remote }: Way): Promise<Step[]> {
  if (auth.type === 'none') return [];
  const steps: Step[] = [];
  if (auth.type !== 'token' && auth.tokenUrl === undefined) {
    const found = await findEndpoint(remote.send, remote.baseUrl);
    if (!found.ok) return [{ step: 'smart', finding: 'bad', sentence: found.failure.message }];
    const { url, algorithms } = found.value;
    steps.push({ step: 'smart', finding: 'ok', sentence: `The token endpoint is ${url}.` });
    const wanted = auth.type === 'smart-backend' ? auth.algorithm : undefined;
    if (wanted && algorithms.length > 0 && !algorithms.includes(wanted)) {
      const sentence = `The server verifies ${algorithms.join(' and ')}, not ${wanted}; set auth.algorithm.`;
      return [...steps, { step: 'smart', finding: 'bad', sentence }];
    }
  }
  const header = await remote.authorization.header();
  if (!header.ok) {
    return [...steps, { step: 'token', finding: 'bad', sentence: tokenHint(header.failure.message) }];
  }
  const sentence = auth.type === 'token' ? 'The token of the connection is sent.' : 'The server gives a token.';
  return [...steps, { step: 'token', finding: 'ok', sentence }];
}
