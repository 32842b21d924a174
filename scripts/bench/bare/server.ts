// The limit for reads: a Fastify route that returns the same stored text from the same database, and nothing else. One
// resource by its id, or several of a type as a Bundle. argv: database URL. Prints `listening on URL`.
import Fastify from 'fastify';
import { openBareReader } from './reader.ts';

const reader = await openBareReader(String(process.argv[2]));
const JSON_TYPE = 'application/fhir+json; charset=utf-8';

interface Params {
  readonly type: string;
  readonly count: string;
  readonly start: string;
}

const app = Fastify();
app.get<{ Params: Params }>('/:type/:count/:start', async ({ params: { type, count, start } }, reply) => {
  reply.type(JSON_TYPE);
  if (count === '1') return reply.send(await reader.one(type, Number(start)));
  const texts = await reader.page(type, Number(count), Number(start));
  const entries = texts.map((text) => `{"resource":${text}}`).join(',');
  return reply.send(`{"resourceType":"Bundle","entry":[${entries}]}`);
});
console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
process.once('SIGTERM', async () => {
  await app.close();
  await reader.close();
});
