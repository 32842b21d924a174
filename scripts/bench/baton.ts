// Baton as it is run in earnest: authentication, validation, audit and full durability on.
import { execFileSync } from 'node:child_process';
import { type Listening, ROOT, startListening } from './child.ts';
import type { BenchDatabase } from './database.ts';

export interface Baton extends Listening {
  readonly token: string;
}

function environment({ url, folder }: BenchDatabase): NodeJS.ProcessEnv {
  return {
    ...process.env,
    BATON_PORT: '0',
    BATON_MLLP_PORT: 'off',
    BATON_SANDBOX: 'off',
    BATON_LOG_LEVEL: 'error',
    BATON_DATABASE_URL: url,
    BATON_DATA_DIR: folder,
  };
}

/** The same without authentication and audit, on a port of its own. */
export function startUnguarded(database: BenchDatabase): Promise<Listening> {
  return startListening(['scripts/bench/bare/unguarded.ts'], environment(database));
}

/** @param flags for Node, before the script */
export async function startBaton(
  database: BenchDatabase,
  flags: readonly string[] = [],
  onError?: (line: string) => void,
): Promise<Baton> {
  const env = environment(database);
  const server = await startListening([...flags, 'src/main.ts'], env, onError);
  const token = execFileSync(process.execPath, ['src/cli.ts', 'token', '--minutes', '1440'], {
    cwd: ROOT,
    env: { ...env, BATON_PORT: new URL(server.url).port },
    encoding: 'utf8',
  }).trim();
  return { ...server, token };
}
