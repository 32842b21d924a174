// The senders: so many MLLP connections, each sending its stays message by message and waiting for every acknowledgement.
// Arguments: port, connections, seconds, run, then `ends` when stays end, `commits` for commit acknowledgements. Prints what came of it as JSON.
import { connectMllp } from '../../../src/intake/mllp/client.ts';
import { stayOf } from './feed.ts';

export interface Driven {
  readonly messages: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
}

const [port, connections, seconds, run, ...words] = process.argv.slice(2);
const feed = { ends: words.includes('ends'), commits: words.includes('commits') };
const good = feed.commits ? 'MSA|CA' : 'MSA|AA';
let stay = 0;
const latencies: number[] = [];
const begin = performance.now();
const until = begin + Number(seconds) * 1000;

async function send(): Promise<void> {
  const client = await connectMllp({ host: '127.0.0.1', port: Number(port) });
  while (performance.now() < until) {
    stay += 1;
    for (const message of stayOf(Number(run), stay, feed)) {
      const sent = performance.now();
      const ack = await client.send(message);
      latencies.push(performance.now() - sent);
      if (!ack.includes(good)) throw new Error(ack.replaceAll('\r', '\n'));
    }
  }
  client.close();
}

await Promise.all(Array.from({ length: Number(connections) }, send));
const took = (performance.now() - begin) / 1000;
latencies.sort((one, other) => one - other);
const at = (part: number) => latencies[Math.floor(latencies.length * part)] ?? 0;
const driven: Driven = { messages: latencies.length, seconds: took, median: at(0.5), p99: at(0.99) };
process.stdout.write(JSON.stringify(driven));
