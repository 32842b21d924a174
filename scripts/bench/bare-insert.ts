// The limit for creates: a loop that inserts the same rows as one create did, with the same durability and the same
// number of creates to a transaction, and does nothing else. argv: database path, resource type, creates per transaction.
import { rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

const [, , source, type, perTransaction] = process.argv;
const target = `${source}.bare`;
rmSync(target, { force: true });
const from = new DatabaseSync(String(source), { readOnly: true });
const into = new DatabaseSync(target);
into.exec('pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536');

// The schema without triggers, so that the loop is as bare as it can be.
const schema = from.prepare(
  "select sql from sqlite_master where type in ('table','index') and sql is not null and name not like 'sqlite_%'",
);
for (const { sql } of schema.all()) into.exec(String(sql));

const sample = from
  .prepare('select rid, id from resource where type = ? and deleted = 0 order by rid desc limit 1')
  .get(String(type));
if (!sample) throw new Error(`no ${type} to copy`);
const tables = [
  'resource',
  ...from
    .prepare(
      "select name from sqlite_master where type='table' and name like 'search_%' and name <> 'search_parameter'",
    )
    .all()
    .map((row) => String(row.name)),
];
const rows = tables.flatMap((table) =>
  from
    .prepare(`select * from ${table} where rid = ?`)
    .all(Number(sample.rid))
    .map((row) => ({ table, row })),
);
rows.push(
  ...from
    .prepare('select * from version where type = ? and id = ?')
    .all(String(type), String(sample.id))
    .map((row) => ({ table: 'version', row })),
);
rows.push(
  ...from
    .prepare("select * from audit where type = ? and id = ? and action = 'C'")
    .all(String(type), String(sample.id))
    .map((row) => ({ table: 'audit', row })),
);

const inserts = rows.map(({ table, row }) => {
  const columns = Object.keys(row);
  return {
    statement: into.prepare(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    ),
    columns,
    values: Object.values(row) as SQLInputValue[],
  };
});

let next = 1;
const end = performance.now() + 5_000;
const start = performance.now();
while (performance.now() < end) {
  into.exec('begin immediate');
  for (let index = 0; index < Number(perTransaction); index++, next++) {
    for (const { statement, columns, values } of inserts) {
      statement.run(
        ...values.map((value, at) =>
          columns[at] === 'rid' || columns[at] === 'sequence'
            ? next
            : columns[at] === 'id'
              ? String(next).padStart(36, '0')
              : value,
        ),
      );
    }
  }
  into.exec('commit');
}
console.log(
  JSON.stringify({ perSecond: Math.round((next - 1) / ((performance.now() - start) / 1000)), rows: rows.length }),
);
into.close();
for (const suffix of ['', '-wal', '-shm']) rmSync(target + suffix, { force: true });
