// node/postgres.mjs: the `postgres` driver: pipelined extended protocol, named statements always.
import assert from 'node:assert/strict';
import test from 'node:test';
import postgres from 'postgres';

const sqlite = process.env.TARGET === 'sluice-sqlite';
const sql = postgres({max: 10, connect_timeout: 30, ssl: false, onnotice: () => {},
  fetch_types: !sqlite});

test.before(async () => {
  await sql`DROP TABLE IF EXISTS node_postgres`;
  await sql`CREATE TABLE node_postgres (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)`;
});
test.after(() => sql.end({timeout: 5}));

test('values', async () => {
  await sql`INSERT INTO node_postgres ${sql([{id: 1, name: 'ünï', amount: 7}, {id: 2, name: null, amount: -7}])}`;
  const rows = await sql`SELECT name, amount FROM node_postgres ORDER BY id`;
  assert.deepEqual(rows.map(r => [r.name, Number(r.amount)]), [['ünï', 7], [null, -7]]);
});

test('many at once', async () => {
  await Promise.all(Array.from({length: 200}, async (_, n) => {
    const [row] = await sql`SELECT ${'v' + n}::text AS mine`;
    assert.equal(row.mine, 'v' + n);
  }));
});

test('transactions', async () => {
  await assert.rejects(sql.begin(async tx => {
    await tx`INSERT INTO node_postgres VALUES (70, 'gone', 1)`;
    await tx`SELECT * FROM nowhere`;
  }), {code: '42P01'});
  assert.equal((await sql`SELECT id FROM node_postgres WHERE id = 70`).length, 0);
  const [row] = await sql.begin(tx => tx`SELECT 'in'::text AS v`);
  assert.equal(row.v, 'in');
});

test('cursor', async () => {
  await sql`DELETE FROM node_postgres`;
  for (let n = 0; n < 25; ++n)
    await sql`INSERT INTO node_postgres VALUES (${n}, 'c', 0)`;
  const sizes = [];
  for await (const rows of sql`SELECT id FROM node_postgres ORDER BY id`.cursor(10))
    sizes.push(rows.length);
  assert.deepEqual(sizes, [10, 10, 5]);
});

test('simple protocol', async () => {
  const rows = await sql.unsafe('SELECT 1 AS a; SELECT 2 AS a').simple();
  assert.deepEqual(rows.map(r => Number(r[0].a)), [1, 2]);
});

test('cancel', {skip: sqlite}, async () => {
  const slow = sql`SELECT pg_sleep(20)`;
  setTimeout(() => slow.cancel(), 1500);
  await assert.rejects(slow, {code: '57014'});
  assert.equal((await sql`SELECT 1 AS one`)[0].one, 1);
});

test('copy', {skip: sqlite}, async () => {
  const {pipeline} = await import('node:stream/promises');
  const {Readable} = await import('node:stream');
  await sql`DELETE FROM node_postgres`;
  const into = await sql`COPY node_postgres FROM STDIN`.writable();
  await pipeline(Readable.from(Array.from({length: 1000}, (_, n) => `${n}\tx\t0\n`)), into);
  assert.equal(Number((await sql`SELECT count(*) FROM node_postgres`)[0].count), 1000);
});

test('listen', {skip: sqlite}, async () => {
  let hear;
  const heard = new Promise(resolve => { hear = resolve; });
  const {unlisten} = await sql.listen('postgres_wire', hear);
  await sql.notify('postgres_wire', 'hello');
  assert.equal(await heard, 'hello');
  await unlisten();
});
