// Baton's own keys: one signs its access tokens, two sign its requests for other servers' tokens (SMART Backend
// Services). Made once, kept in a file that only its owner can read, published as a JSON Web Key Set.
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

export type KeyAlgorithm = 'ES384' | 'RS384';

export interface SigningKey {
  readonly alg: KeyAlgorithm;
  readonly keyId: string;
  readonly privateKey: CryptoKey;
}

/** A private JWK that says what it is. */
export type ClientKey = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: KeyAlgorithm };

export interface Keys {
  /** Signs access tokens. Never used for anything else. */
  readonly token: SigningKey;
  /** Private keys that sign client assertions towards other servers. */
  readonly client: Readonly<Record<KeyAlgorithm, ClientKey>>;
  /** Public halves of all of them, as `/.well-known/jwks.json` shows them. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

interface KeyFile {
  readonly token: JWK;
  readonly clientES384: JWK;
  readonly clientRS384: JWK;
}

const FILE = 'keys.json';

/**
 * Opens `keys.json` in `directory`, making it first when there is none. Processes that start together agree on one.
 * @param directory undefined keeps the keys in memory, for a memory database and for tests
 * @throws Error when the file is readable by other users of the machine
 */
export async function openKeys(directory?: string): Promise<Keys> {
  return importKeys(directory === undefined ? await generateKeys() : await readOrCreate(directory));
}

async function readOrCreate(directory: string): Promise<KeyFile> {
  const path = join(directory, FILE);
  const existing = await readKeyFile(path);
  if (existing) return existing;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = join(directory, `.${FILE}.${randomUUID()}`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(await generateKeys()));
    await file.sync();
  } finally {
    await file.close();
  }
  // A link either makes the whole file appear or fails because another process was first; a rename would replace it.
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  const created = await readKeyFile(path);
  if (!created) throw new Error(`${path} was removed while Baton was making it.`);
  return created;
}

async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new Error(`${path} holds private keys and other users can read it. Run: chmod 600 ${path}`);
    }
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function generateKeys(): Promise<KeyFile> {
  const [token, clientES384, clientRS384] = await Promise.all(
    (['ES384', 'ES384', 'RS384'] as const).map(async (alg) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(pair.privateKey)), alg };
    }),
  );
  return { token, clientES384, clientRS384 } as KeyFile;
}

async function importKeys(file: KeyFile): Promise<Keys> {
  const all = [describe(file.token, 'ES384'), describe(file.clientES384, 'ES384'), describe(file.clientRS384, 'RS384')];
  const [token, es384, rs384] = (await Promise.all(all)) as [Described, Described, Described];
  const privateKey = (await importJWK(file.token, 'ES384')) as CryptoKey;
  return {
    token: { alg: 'ES384', keyId: token.kid, privateKey },
    client: { ES384: withPrivate(file.clientES384, es384), RS384: withPrivate(file.clientRS384, rs384) },
    jwks: { keys: [token, es384, rs384].map((key) => ({ ...key, use: 'sig', key_ops: ['verify'] })) },
  };
}

type Described = JWK & { readonly kid: string; readonly alg: KeyAlgorithm };

/** The public half, named by its thumbprint. */
async function describe({ kty, crv, x, y, n, e }: JWK, alg: KeyAlgorithm): Promise<Described> {
  const publicKey = (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JWK;
  return { ...publicKey, alg, kid: await calculateJwkThumbprint(publicKey) };
}

const withPrivate = (jwk: JWK, { kid, alg }: Described): ClientKey => ({ ...jwk, kid, alg });
