// The `baton` command, started as a person does, or run within the test's process: the same words, settings, output and
// outcome without loading everything once more, which is nearly all of what a command costs.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { runCommand } from '../../src/commands.ts';

const ROOT = join(import.meta.dirname, '../..');
const execute = promisify(execFile);

export interface Ran {
  /** That of the process. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Told {
  readonly words: readonly string[];
  /** The whole environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
}

/** In a process of its own. */
export async function startBaton({ words, settings, input = '' }: Told): Promise<Ran> {
  const env = { PATH: process.env.PATH, ...settings };
  try {
    const running = execute(process.execPath, ['src/cli.ts', ...words], { cwd: ROOT, env });
    running.child.stdin?.end(input);
    const { stdout, stderr } = await running;
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** In this process. */
export async function runBaton({ words, settings, input = '' }: Told): Promise<Ran> {
  const said = { out: '', err: '' };
  const complain = (text: string) => {
    said.err += text;
  };
  const good = await runCommand({
    ...{ words, environment: settings, input: Readable.from([input]) },
    log: { write: complain },
    print(line) {
      said.out += `${line}\n`;
    },
    complain,
  });
  return { code: good ? 0 : 1, ...said };
}
