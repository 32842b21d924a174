// The limit for reads: a Fastify route that returns the same stored text from the same SQLite file, and nothing else.
// argv: database path. Prints `listening on URL`.
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';

const database = new DatabaseSync(String(process.argv[2]), { readOnly: true });
const one = database.prepare('select content from resource where type = ? and id = ?');
const page = database.prepare('select content from resource where type = ? and rid > ? order by rid limit 50');

const app = Fastify();
app.get<{ Params: { type: string; id: string } }>('/read/:type/:id', (request, reply) => {
  const row = one.get(request.params.type, request.params.id);
  return reply.type('application/fhir+json; charset=utf-8').send(row?.content);
});
app.get<{ Params: { type: string; after: string } }>('/page/:type/:after', (request, reply) => {
  const rows = page.all(request.params.type, Number(request.params.after));
  const entries = rows.map((row) => `{"resource":${row.content}}`).join(',');
  return reply.type('application/fhir+json; charset=utf-8').send(`{"resourceType":"Bundle","entry":[${entries}]}`);
});
console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
