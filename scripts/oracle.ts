// npm run oracle -- [COUNT] [SEED] [ENGINE]: random searches, answered by the store and by a plain reading of the
// specification. Prints each difference as small as it gets; exits with 1 when there is one.
import { consult, describe } from '../tests/property/oracle/oracle.ts';
import { postgresStores, sqliteStores } from '../tests/property/oracle/stores.ts';

const QUERIES_PER_CORPUS = 1_000;
const ENGINES = ['sqlite', 'postgres'];

const [countText = '100000', seedText = '1', engine = 'sqlite'] = process.argv.slice(2);
const [count, firstSeed] = [Number(countText), Number(seedText)];
if (!Number.isInteger(count) || !Number.isInteger(firstSeed) || !ENGINES.includes(engine)) {
  console.error('Usage: npm run oracle -- [COUNT] [SEED] [sqlite|postgres]');
  process.exit(2);
}
const stores = engine === 'sqlite' ? sqliteStores() : await postgresStores();

let differences = 0;
const started = performance.now();
for (let asked = 0, seed = firstSeed; asked < count; asked += QUERIES_PER_CORPUS, seed++) {
  const difference = await consult(seed, Math.min(QUERIES_PER_CORPUS, count - asked), stores.open);
  if (difference) {
    differences++;
    console.log(describe(difference));
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  if (seed % 10 === 0)
    console.log(`${asked + QUERIES_PER_CORPUS} of ${count} queries, ${differences} differences, ${seconds} s`);
}
console.log(`${count} queries on ${engine} from seed ${firstSeed}: ${differences} differences.`);
await stores.stop();
process.exit(differences > 0 ? 1 : 0);
