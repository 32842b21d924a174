// Child processes of the benchmark: started with a script of this project, ready when they say where they listen.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(import.meta.dirname, '../..');

/** As `npm start` runs Baton: little room for garbage, which would else be most of what is resident. */
export const NODE_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=30'];

export interface Listening {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  /** From spawning to listening, in milliseconds. */
  readonly startedIn: number;
  /** Asks it to end and waits until it has. */
  stop(): Promise<void>;
}

/**
 * @param onError lines of standard error; they are printed when absent
 * @throws Error when it ends before it listens
 */
export async function startListening(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  onError?: (line: string) => void,
): Promise<Listening> {
  const begin = performance.now();
  const child = spawn(process.execPath, argv, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', onError ? 'pipe' : 'inherit'],
  });
  if (child.stderr && onError) createInterface({ input: child.stderr }).on('line', onError);
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${argv.join(' ')} ended with ${code}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const found = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    url,
    startedIn: performance.now() - begin,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill();
      await ended;
    },
  };
}
