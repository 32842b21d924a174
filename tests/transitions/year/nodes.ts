// The Batons of the simulated year as the driver has them: in its own process, or each in one that can be killed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Command, type Node, openNode, type Reply } from './node.ts';
import type { Answer } from './process.ts';

export interface Killable {
  /** Rejects when the process is killed meanwhile. */
  do(command: Command): Promise<Reply>;
  /** Ends it at once, and starts another on the same database. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** In this process; a restart closes its store and opens it again. */
export async function inProcess(url: string): Promise<Killable> {
  let node: Node = await openNode(url);
  return {
    do: (command) => node.do(command),
    async restart() {
      await node.close();
      node = await openNode(url);
    },
    close: () => node.close(),
  };
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** In a process of its own; a restart is `kill -9`. */
export async function ownProcess(url: string): Promise<Killable> {
  let waiting = new Map<number, Waiting>();
  let ids = 0;
  let child = await start();

  async function start(): Promise<ChildProcess> {
    const started = fork(join(import.meta.dirname, 'process.ts'), [url], { execArgv: [] });
    const mine = waiting;
    started.on('exit', (code, signal) => {
      if (signal !== 'SIGKILL') console.error(`A process ended by itself: ${code ?? signal}.`);
      for (const { reject } of mine.values()) reject(new Error('The process was killed.'));
      mine.clear();
    });
    started.on('message', (answer: Answer) => {
      const one = mine.get(answer.id);
      mine.delete(answer.id);
      if ('reply' in answer) one?.resolve(answer.reply);
      else one?.reject(new Error(answer.error));
    });
    await new Promise<Reply>((resolve, reject) => mine.set(0, { resolve, reject }));
    return started;
  }

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };

  return {
    do: (command) =>
      new Promise((resolve, reject) => {
        if (!child.connected) throw new Error('The process was killed.');
        ids += 1;
        waiting.set(ids, { resolve, reject });
        child.send({ id: ids, command });
      }),
    async restart() {
      await end('SIGKILL');
      waiting = new Map();
      child = await start();
    },
    close: () => end('SIGKILL'),
  };
}
