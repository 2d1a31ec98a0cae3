// node/pg.mjs: the `pg` driver: simple, parameters, named statements, pool, cursor, errors.
import assert from 'node:assert/strict';
import test from 'node:test';
import pg from 'pg';
import Cursor from 'pg-cursor';

const sqlite = process.env.TARGET === 'sluice-sqlite';
const table = 'node_pg';
const pool = new pg.Pool({max: 12, connectionTimeoutMillis: 10000});

test.before(async () => {
  await pool.query(`DROP TABLE IF EXISTS ${table}`);
  await pool.query(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)`);
});
test.after(() => pool.end());

test('values', async () => {
  await pool.query(`INSERT INTO ${table} VALUES ($1, $2, $3)`, [1, 'ünï', null]);
  const {rows, rowCount} = await pool.query(`SELECT * FROM ${table} WHERE id = $1`, [1]);
  assert.deepEqual(rows.map(r => ({...r, id: Number(r.id)})), [{id: 1, name: 'ünï', amount: null}]);
  assert.equal(rowCount, 1);
});

test('named statements of many connections', async () => {
  await Promise.all(Array.from({length: 100}, async (_, n) => {
    const {rows} = await pool.query({
      name: `take ${n % 5}`, text: `SELECT ${n % 5} AS which, $1::text AS mine`, values: [`v${n}`]});
    assert.deepEqual([Number(rows[0].which), rows[0].mine], [n % 5, `v${n}`]);
  }));
});

test('transactions', async () => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`INSERT INTO ${table} VALUES (50, 'gone', 1)`);
    await assert.rejects(client.query('SELECT * FROM nowhere'), {code: '42P01'});
    await assert.rejects(client.query('SELECT 1'), {code: '25P02'});
    await client.query('ROLLBACK');
    const {rows} = await client.query(`SELECT id FROM ${table} WHERE id = 50`);
    assert.equal(rows.length, 0);
  } finally {
    client.release();
  }
});

test('several statements', async () => {
  const results = await pool.query('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepEqual(results.map(r => Number(Object.values(r.rows[0])[0])), [1, 2]);
});

test('cursor', async () => {
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(`DELETE FROM ${table}`);
  for (let n = 0; n < 30; ++n)
    await client.query(`INSERT INTO ${table} VALUES ($1, 'c', 0)`, [n]);
  const cursor = client.query(new Cursor(`SELECT id FROM ${table} ORDER BY id`));
  assert.equal((await cursor.read(7)).length, 7);
  assert.equal((await cursor.read(100)).length, 23);
  await cursor.close();
  await client.query('ROLLBACK');
  client.release();
});

test('error fields', async () => {
  await pool.query(`DELETE FROM ${table}`);
  await pool.query(`INSERT INTO ${table} VALUES (1, 'a', 1)`);
  await assert.rejects(pool.query(`INSERT INTO ${table} VALUES (1, 'a', 1)`), {code: '23505'});
});

test('notifications', {skip: sqlite}, async () => {
  const client = await pool.connect();
  const heard = new Promise(resolve => client.on('notification', n => resolve(n.payload)));
  await client.query('LISTEN node_wire');
  await pool.query("SELECT pg_notify('node_wire', 'hello')");
  assert.equal(await heard, 'hello');
  await client.query('UNLISTEN node_wire');
  client.release();
});
