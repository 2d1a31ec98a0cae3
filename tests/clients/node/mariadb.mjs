// node/mariadb.mjs: the `mariadb` driver: pipelined queries, execute, batch, pool, streams, errors.
import assert from 'node:assert/strict';
import test from 'node:test';
import mariadb from 'mariadb';

const env = process.env;
const sqlite = env.MY_TARGET === 'my-sqlite';
const options = {
  host: env.MY_HOST, port: Number(env.MY_PORT), user: env.MY_USER, password: env.MY_PASSWORD,
  database: env.MY_DATABASE, connectTimeout: 10000, insertIdAsNumber: true,
  bigIntAsNumber: sqlite,  // SQLite's INTEGER has 64 bits
};
const table = 'node_mariadb';
const pool = mariadb.createPool({...options, connectionLimit: 12});

test.before(async () => {
  await pool.query(`DROP TABLE IF EXISTS ${table}`);
  await pool.query(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)`);
});
test.after(() => pool.end());

test('query and execute', async () => {
  const done = await pool.query(`INSERT INTO ${table} VALUES (?, ?, ?)`, [1, 'ünï', null]);
  assert.equal(done.affectedRows, 1);
  await pool.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [2, 'two', 22]);
  const wanted = [{id: 1, name: 'ünï', amount: null}, {id: 2, name: 'two', amount: 22}];
  assert.deepEqual([...await pool.query(`SELECT * FROM ${table} ORDER BY id`)], wanted);
  assert.deepEqual([...await pool.execute(`SELECT * FROM ${table} WHERE id < ? ORDER BY id`, [9])],
    wanted);
});

test('batch', async () => {
  const values = Array.from({length: 300}, (_, n) => [1000 + n, `row ${n}`, n]);
  const done = await pool.batch(`INSERT INTO ${table} VALUES (?, ?, ?)`, values);
  assert.equal(done.affectedRows, 300);
});

test('pipelined queries', async t => {
  const connection = await mariadb.createConnection(options);
  t.after(() => connection.end());
  const found = await Promise.all(Array.from({length: 100}, (_, n) =>
    connection.query(`SELECT ${n} AS n`)));
  assert.deepEqual(found.map(rows => Number(rows[0].n)), Array.from({length: 100}, (_, n) => n));
});

test('an error among pipelined queries', async t => {
  const connection = await mariadb.createConnection(options);
  t.after(() => connection.end());
  const found = await Promise.allSettled([
    connection.query('SELECT 1 AS n'), connection.query('SELECT * FROM nowhere'),
    connection.query('SELECT 3 AS n')]);
  assert.deepEqual(found.map(one => one.status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.equal(found[1].reason.errno, 1146);
});

test('prepared statements of many connections', async () => {
  await Promise.all(Array.from({length: 200}, async (_, n) => {
    const rows = await pool.execute(
      `SELECT name, ${n % 5} AS which FROM ${table} WHERE id = ?`, [1 + n % 2]);
    assert.deepEqual([rows[0].name, Number(rows[0].which)], [n % 2 ? 'two' : 'ünï', n % 5]);
  }));
});

test('transactions', async () => {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    await connection.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [50, 'gone', 1]);
    await connection.rollback();
    assert.equal((await connection.query(`SELECT id FROM ${table} WHERE id = 50`)).length, 0);
  } finally {
    await connection.release();  // the pool resets the session
  }
});

test('stream', async t => {
  const connection = await mariadb.createConnection(options);
  t.after(() => connection.end());
  let count = 0;
  for await (const row of connection.queryStream(`SELECT id FROM ${table} WHERE id >= 1000`))
    count += row.id >= 1000 ? 1 : 0;
  assert.equal(count, 300);
});

test('reset and change user', {skip: sqlite}, async t => {
  const connection = await mariadb.createConnection(options);
  t.after(() => connection.end());
  await connection.query('SET @mine = 5');
  await connection.reset();
  assert.equal((await connection.query('SELECT @mine AS mine'))[0].mine, null);
  await connection.query('SET @mine = 5');
  await connection.changeUser({user: options.user, password: options.password,
    database: options.database});
  assert.equal((await connection.query('SELECT @mine AS mine'))[0].mine, null);
});
