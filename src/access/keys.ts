// Baton's own keys: one signs its access tokens and the seals of the audit trail, two sign its requests for other servers' tokens (SMART Backend
// Services), one its id tokens, and a secret its cookies. Made once, kept in a file that only its owner can read; the
// public halves are published as a JSON Web Key Set.
import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

export type KeyAlgorithm = 'ES384' | 'RS384';
type AnyAlgorithm = KeyAlgorithm | 'RS256';

export interface SigningKey {
  readonly alg: KeyAlgorithm;
  readonly keyId: string;
  readonly privateKey: CryptoKey;
}

/** A private JWK that says what it is. */
export type ClientKey = Readonly<Record<string, unknown>> & { readonly kid: string; readonly alg: KeyAlgorithm };

export interface Keys {
  /** Signs access tokens and, with a `typ` that no token has, seals of the audit trail. */
  readonly token: SigningKey;
  /** Private keys that sign client assertions towards other servers. */
  readonly client: Readonly<Record<KeyAlgorithm, ClientKey>>;
  /** Private key that signs id tokens; RS256, which every client of OpenID Connect can verify. */
  readonly idToken: Readonly<Record<string, unknown>> & { readonly kty: 'RSA'; readonly kid: string };
  /** Signs the cookies of people who sign in. */
  readonly cookieSecret: string;
  /** Public halves of all of them, as `/.well-known/jwks.json` shows them. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

/** What every `keys.json` has. */
interface FirstKeys {
  readonly token: JWK;
  readonly clientES384: JWK;
  readonly clientRS384: JWK;
}

/** What came with the authorization server; older files get it added. */
interface AddedKeys {
  readonly idToken: JWK;
  readonly cookieSecret: string;
}

type KeyFile = FirstKeys & AddedKeys;

const FILE = 'keys.json';
/** What will be added to an older file: whoever makes it first decides for all processes. */
const ADDITION = '.keys.json.added';

/**
 * Opens `keys.json` in `directory`, making it first when there is none. Processes that start together agree on one.
 * @param directory undefined keeps the keys in memory, for a memory database and for tests
 * @throws Error when the file is readable by other users of the machine
 */
export async function openKeys(directory?: string): Promise<Keys> {
  if (directory !== undefined) return importKeys(await readOrCreate(directory));
  return importKeys({ ...(await generateKeys()), ...(await generateAddedKeys()) });
}

async function readOrCreate(directory: string): Promise<KeyFile> {
  const path = join(directory, FILE);
  const existing = await readKeyFile(path);
  if (existing) return isComplete(existing) ? existing : complete(directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFirst(path, { ...(await generateKeys()), ...(await generateAddedKeys()) });
  const created = await readKeyFile(path);
  if (!created) throw new Error(`${path} was removed while Baton was making it.`);
  return isComplete(created) ? created : complete(directory);
}

/**
 * Adds what an older file lacks. Processes that start together, one of which may die at any line, all end with the same
 * keys: they agree on the addition before any of them puts it into the file.
 */
async function complete(directory: string): Promise<KeyFile> {
  const path = join(directory, FILE);
  const addition = join(directory, ADDITION);
  for (;;) {
    await writeFirst(addition, await generateAddedKeys());
    const added = await readJson<AddedKeys>(addition);
    // Read after the addition: a file that is still incomplete means that no other addition was ever used.
    const current = await readKeyFile(path);
    if (!current) throw new Error(`${path} was removed while Baton was adding to it.`);
    if (!isComplete(current)) {
      if (!added) continue;
      const draft = await writeDraft(path, { ...current, ...added });
      await rename(draft, path);
    }
    await unlink(addition).catch(ignore('ENOENT'));
    const completed = await readKeyFile(path);
    if (completed && isComplete(completed)) return completed;
  }
}

const isComplete = (file: Partial<KeyFile>): file is KeyFile =>
  file.idToken !== undefined && file.cookieSecret !== undefined;

/** A link either makes the whole file appear or fails because another process was first; a rename would replace it. */
async function writeFirst(path: string, content: object): Promise<void> {
  const draft = await writeDraft(path, content);
  await link(draft, path).catch(ignore('EEXIST'));
  await unlink(draft);
}

async function writeDraft(path: string, content: object): Promise<string> {
  const draft = join(dirname(path), `.${FILE}.${randomUUID()}`);
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(content));
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

const ignore = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error;
};

async function readKeyFile(path: string): Promise<(FirstKeys & Partial<AddedKeys>) | undefined> {
  const { mode } = (await stat(path).catch(ignore('ENOENT'))) ?? {};
  if (mode === undefined) return undefined;
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new Error(`${path} holds private keys and other users can read it. Run: chmod 600 ${path}`);
  }
  return readJson(path);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(ignore('ENOENT'));
  return text === undefined ? undefined : JSON.parse(text);
}

async function generateKeys(): Promise<FirstKeys> {
  const [token, clientES384, clientRS384] = await Promise.all((['ES384', 'ES384', 'RS384'] as const).map(generateKey));
  return { token, clientES384, clientRS384 } as FirstKeys;
}

async function generateAddedKeys(): Promise<AddedKeys> {
  return { idToken: await generateKey('RS256'), cookieSecret: randomBytes(32).toString('base64url') };
}

async function generateKey(alg: AnyAlgorithm): Promise<JWK> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(pair.privateKey)), alg };
}

async function importKeys(file: KeyFile): Promise<Keys> {
  const all = [
    describe(file.token, 'ES384'),
    describe(file.clientES384, 'ES384'),
    describe(file.clientRS384, 'RS384'),
    describe(file.idToken, 'RS256'),
  ];
  type Four = [Described<'ES384'>, Described<'ES384'>, Described<'RS384'>, Described<'RS256'>];
  const [token, es384, rs384, rs256] = (await Promise.all<Described<AnyAlgorithm>>(all)) as Four;
  const privateKey = (await importJWK(file.token, 'ES384')) as CryptoKey;
  return {
    token: { alg: 'ES384', keyId: token.kid, privateKey },
    client: {
      ES384: { ...file.clientES384, kid: es384.kid, alg: 'ES384' },
      RS384: { ...file.clientRS384, kid: rs384.kid, alg: 'RS384' },
    },
    idToken: { ...file.idToken, kty: 'RSA', kid: rs256.kid, alg: 'RS256', use: 'sig' },
    cookieSecret: file.cookieSecret,
    jwks: { keys: [token, es384, rs384, rs256].map((key) => ({ ...key, use: 'sig', key_ops: ['verify'] })) },
  };
}

type Described<A extends AnyAlgorithm> = JWK & { readonly kid: string; readonly alg: A };

/** The public half, named by its thumbprint. */
async function describe<A extends AnyAlgorithm>({ kty, crv, x, y, n, e }: JWK, alg: A): Promise<Described<A>> {
  const publicKey = (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JWK;
  return { ...publicKey, alg, kid: await calculateJwkThumbprint(publicKey) };
}
