// Baton as it is run in earnest: authentication, validation, audit and full durability on.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Listening, NODE_FLAGS, ROOT, startListening } from './child.ts';
import type { BenchDatabase } from './database.ts';

export interface Baton extends Listening {
  readonly token: string;
}

/** One client asks for more in a minute than any client in earnest; it is counted all the same. */
const LIMITS = { limits: { perClient: 1_000_000_000 } };

function environment({ url, folder }: BenchDatabase): NodeJS.ProcessEnv {
  const config = join(folder, 'bench.json');
  writeFileSync(config, JSON.stringify(LIMITS));
  return {
    ...process.env,
    BATON_PORT: '0',
    BATON_MLLP_PORT: 'off',
    BATON_SANDBOX: 'off',
    BATON_LOG_LEVEL: 'error',
    BATON_DATABASE_URL: url,
    BATON_DATA_DIR: folder,
    BATON_CONFIG: config,
  };
}

/** The same without authentication and audit, on a port of its own. */
export function startUnguarded(database: BenchDatabase): Promise<Listening> {
  return startListening([...NODE_FLAGS, 'scripts/bench/bare/unguarded.ts'], environment(database));
}

/** @param flags for Node, before the script */
export async function startBaton(
  database: BenchDatabase,
  flags: readonly string[] = [],
  onError?: (line: string) => void,
): Promise<Baton> {
  const env = environment(database);
  const server = await startListening([...NODE_FLAGS, ...flags, 'src/main.ts'], env, onError);
  const token = execFileSync(process.execPath, ['src/cli.ts', 'token', '--minutes', '1440'], {
    cwd: ROOT,
    env: { ...env, BATON_PORT: new URL(server.url).port },
    encoding: 'utf8',
  }).trim();
  return { ...server, token };
}
