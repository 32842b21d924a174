// The program as it is run, on a SQLite file, to be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');

export interface RunningProgram {
  /** Without waiting until it is gone. */
  strike(): void;
  /** Resolves when it is gone; at once when it was before. */
  kill(): Promise<void>;
}

/**
 * Resolves when the program listens, without authentication. @throws Error when it ends before
 * @param settings more environment
 */
export async function runProgram(
  folder: string,
  port: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningProgram> {
  const program: ChildProcess = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      BATON_PORT: String(port),
      BATON_MLLP_PORT: 'off',
      BATON_SANDBOX: 'off',
      BATON_AUTH: 'off',
      BATON_LOG_LEVEL: 'silent',
      BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}`,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const isGone = () => program.exitCode !== null || program.signalCode !== null;
  const running: RunningProgram = {
    strike: () => program.kill('SIGKILL'),
    async kill() {
      if (isGone()) return;
      const exited = once(program, 'exit');
      program.kill('SIGKILL');
      await exited;
    },
  };
  if (!program.stdout) throw new Error('The program has no standard output.');
  for await (const line of createInterface({ input: program.stdout })) {
    if (line.includes('listening on')) return running;
  }
  throw new Error('The program ended before it listened.');
}
