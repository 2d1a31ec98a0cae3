// node/mysql2.mjs: the `mysql2` driver: query, execute, pool, transactions, streams, errors.
import assert from 'node:assert/strict';
import test from 'node:test';
import mysql from 'mysql2/promise';

const env = process.env;
const sqlite = env.MY_TARGET === 'my-sqlite';
const options = {
  host: env.MY_HOST, port: Number(env.MY_PORT), user: env.MY_USER, password: env.MY_PASSWORD,
  database: env.MY_DATABASE,
};
const table = 'node_mysql2';
const pool = mysql.createPool({...options, connectionLimit: 12});

test.before(async () => {
  await pool.query(`DROP TABLE IF EXISTS ${table}`);
  await pool.query(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER)`);
});
test.after(() => pool.end());

test('query and execute', async () => {
  const [done] = await pool.query(`INSERT INTO ${table} VALUES (?, ?, ?)`, [1, 'ünï', null]);
  assert.equal(done.affectedRows, 1);
  await pool.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [2, 'two', 22]);
  const [text] = await pool.query(`SELECT * FROM ${table} ORDER BY id`);
  const [binary] = await pool.execute(`SELECT * FROM ${table} WHERE id < ? ORDER BY id`, [10]);
  const wanted = [{id: 1, name: 'ünï', amount: null}, {id: 2, name: 'two', amount: 22}];
  assert.deepEqual(text, wanted);
  assert.deepEqual(binary, wanted);
});

test('prepared statements of many connections', async () => {
  await Promise.all(Array.from({length: 200}, async (_, n) => {
    const [rows] = await pool.execute(
      `SELECT name, ${n % 5} AS which FROM ${table} WHERE id = ?`, [1 + n % 2]);
    assert.deepEqual([rows[0].name, Number(rows[0].which)], [n % 2 ? 'two' : 'ünï', n % 5]);
  }));
});

test('transactions', async () => {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    await connection.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [50, 'gone', 1]);
    await assert.rejects(connection.query('SELECT * FROM nowhere'), {errno: 1146});
    await connection.rollback();
    const [rows] = await connection.query(`SELECT id FROM ${table} WHERE id = 50`);
    assert.equal(rows.length, 0);
  } finally {
    connection.release();
  }
});

test('errors', async () => {
  await assert.rejects(pool.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [1, 'double', 1]),
    {errno: 1062, sqlState: '23000'});
  await assert.rejects(pool.execute('SELEC ?', [1]), {errno: 1064});
  await assert.rejects(pool.query('nonsense'), {errno: 1064});
});

test('stream', async t => {
  const connection = await mysql.createConnection(options);
  t.after(() => connection.end());
  await connection.query('BEGIN');
  for (let n = 1000; n < 1300; ++n)
    await connection.execute(`INSERT INTO ${table} VALUES (?, ?, ?)`, [n, 'stream', n]);
  let sum = 0;
  const stream = connection.connection.query(`SELECT id FROM ${table} WHERE id >= 1000`).stream();
  for await (const row of stream)
    sum += row.id;
  assert.equal(sum, (1000 + 1299) * 150);
  await connection.query('ROLLBACK');
});

test('unprepare and ping', async t => {
  const connection = await mysql.createConnection(options);
  t.after(() => connection.end());
  for (let n = 0; n < 5; ++n) {
    const statement = await connection.prepare(`SELECT ? AS x${n}`);
    const [rows] = await statement.execute(['v' + n]);
    assert.equal(rows[0]['x' + n], 'v' + n);
    await statement.close();
  }
  await connection.ping();
});

test('several results', {skip: sqlite}, async t => {
  const connection = await mysql.createConnection({...options, multipleStatements: true});
  t.after(() => connection.end());
  const [results] = await connection.query('SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c');
  assert.deepEqual(results, [[{a: 1}], [{b: 2}], [{c: 3}]]);
});

test('change user', {skip: sqlite}, async t => {
  const connection = await mysql.createConnection(options);
  t.after(() => connection.end());
  await connection.query('SET @mine = 5');
  await connection.changeUser({user: options.user, password: options.password,
    database: options.database});
  const [rows] = await connection.query('SELECT @mine AS mine, DATABASE() AS base');
  assert.equal(rows[0].mine, null);
});
