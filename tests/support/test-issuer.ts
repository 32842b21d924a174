// An authorization server on a real socket, as small as it can be: discovery, keys that rotate, introspection, and every
// way in which it can fail.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';

export interface TestIssuer {
  /** Its `issuer`, without slash at the end. */
  readonly url: string;
  /** Paths that were asked, in order. */
  readonly asked: string[];
  /** Tokens that introspection vouches for, and what it says of them. */
  readonly active: Map<string, object>;
  /** Another answer for a path; undefined lets the usual one through. */
  misbehave: ((path: string, response: ServerResponse) => boolean) | undefined;
  /** Members that the discovery documents have beside or instead of the usual ones. */
  document: Record<string, unknown>;
  /** Which of the two well-known paths answers. */
  speaks: 'openid' | 'oauth';
  /** Makes a new key the only one. */
  rotate(keep?: 'and keep the old'): Promise<void>;
  /** Signs with the newest key. */
  sign(claims: object | string | Uint8Array, header?: object): Promise<string>;
  /** The public keys it shows. */
  readonly keys: JWK[];
  /** Stops listening; `resume` listens again on the same port. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

export const CLIENT = { clientId: 'baton', clientSecret: 'p:ss wörd' } as const;
const AUTHORIZATION = `Basic ${Buffer.from('baton:p%3Ass+w%C3%B6rd').toString('base64')}`;

/** @param path of the issuer, e.g. `/tenant` */
export async function startIssuer(path = '', alg: 'RS256' | 'ES256' = 'ES256'): Promise<TestIssuer> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const origin = `http://127.0.0.1:${port}`;
  let made = 0;
  let newest: { readonly key: CryptoKey; readonly kid: string } | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = request.url ?? '';
    issuer.asked.push(at);
    if (issuer.misbehave?.(at, response)) return;
    const body = await bodyOf(at, request);
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  }

  async function bodyOf(at: string, request: IncomingMessage): Promise<object | undefined> {
    const openid = `${path}/.well-known/openid-configuration`;
    const oauth = `/.well-known/oauth-authorization-server${path}`;
    if (at === (issuer.speaks === 'openid' ? openid : oauth)) {
      const endpoints = { jwks_uri: `${origin}/jwks`, introspection_endpoint: `${origin}/introspect` };
      return { issuer: issuer.url, ...endpoints, ...issuer.document };
    }
    if (at === '/jwks') return { keys: issuer.keys };
    if (at !== '/introspect' || request.headers.authorization !== AUTHORIZATION) return undefined;
    const claims = issuer.active.get(new URLSearchParams(await text(request)).get('token') ?? '');
    return claims ? { active: true, ...claims } : { active: false };
  }

  const issuer: TestIssuer = {
    url: `${origin}${path}`,
    asked: [],
    active: new Map(),
    misbehave: undefined,
    document: {},
    speaks: 'openid',
    keys: [],
    async rotate(keep) {
      const pair = await generateKeyPair(alg, { extractable: true });
      made += 1;
      const kid = `key-${port}-${made}`;
      newest = { key: pair.privateKey, kid };
      if (!keep) issuer.keys.length = 0;
      issuer.keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
    },
    async sign(claims, header = {}) {
      if (!newest) throw new Error('The issuer has no key.');
      const payload = claims instanceof Uint8Array ? claims : Buffer.from(textOf(claims));
      return new CompactSign(payload)
        .setProtectedHeader({ alg, kid: newest.kid, typ: 'at+jwt', ...header })
        .sign(newest.key);
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async resume() {
      await listen(port);
    },
  };
  await issuer.rotate();
  return issuer;
}

const textOf = (claims: object | string) => (typeof claims === 'string' ? claims : JSON.stringify(claims));
