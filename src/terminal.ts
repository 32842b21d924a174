// What a command is given and where what it says goes: of the process, or of a test that runs many commands in one.
import { type DestinationStream, pino } from 'pino';
import type { Environment } from './secret-files.ts';

export interface Terminal {
  readonly words: readonly string[];
  /** Undefined: that of the process, which only the configuration reads. */
  readonly environment: Environment | undefined;
  readonly input: NodeJS.ReadableStream;
  readonly log: DestinationStream;
  /** A line for people, to standard output. */
  print(line: string): void;
  /** What went wrong, to standard error. */
  complain(text: string): void;
}

export function processTerminal(): Terminal {
  // Who reads the output may have seen enough, as `head` has; that ends the command, and is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    words: process.argv.slice(2),
    environment: undefined,
    input: process.stdin,
    log: pino.destination(2),
    print: (line) => process.stdout.write(`${line}\n`),
    complain: (text) => process.stderr.write(text),
  };
}
