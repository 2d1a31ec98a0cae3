'use strict';
// Asks /api/v1/state once a second. Rates and percentiles are those of the last second: what the
// state counts is the difference to the state before.
const kept = 120;
const by_id = (id) => document.getElementById(id);
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const number = (n) => (Number.isInteger(n) && n < 1000 ? n : n >= 1000 ? short.format(n) : n >= 10 || n === 0 ? Math.round(n) : n.toFixed(1)) + '';
const duration = (ms) => ms < 0.1 ? '<0.1 ms' : ms < 10 ? ms.toFixed(1) + ' ms'
  : ms < 1000 ? Math.round(ms) + ' ms' : ms < 120000 ? (ms / 1000).toFixed(1) + ' s'
  : ms < 7200000 ? Math.round(ms / 60000) + ' min' : Math.round(ms / 3600000) + ' h';
const sizes = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 2 });
const size = (n) => n < 1000 ? Math.round(n) + ' B' : sizes.format(n).replace(/(\D)$/, ' $1') + 'B';

let before = null;
let session = { admin: '', word: '' };

function element(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// columns: [title, value of a row, class of the cell]
function table(where, columns, rows, empty) {
  const box = by_id(where);
  if (rows.length === 0) {
    box.replaceChildren(element('p', empty, 'none'));
    return;
  }
  const made = element('table');
  const head = made.createTHead().insertRow();
  for (const [title, , kind] of columns) {
    const cell = element('th', title, kind === 'number' ? kind : '');
    cell.scope = 'col';
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [, value, kind] of columns) line.append(element('td', value(row), kind || ''));
  }
  box.replaceChildren(made);
}

// ------------------------------------------------------------------------------------------ charts

const times = [];
const series = {};
const charts = [];

function base(more) {
  return Object.assign({
    animation: false, responsive: true, maintainAspectRatio: false,
    interaction: { mode: 'index', intersect: false },
    plugins: { legend: { position: 'bottom', labels: { boxWidth: 12, boxHeight: 3, color: color('soft') } } },
    scales: {
      x: { ticks: { maxTicksLimit: 6, maxRotation: 0, color: color('soft') }, grid: { display: false } },
      y: { beginAtZero: true, ticks: { maxTicksLimit: 5, color: color('soft'), callback: (v) => number(v) },
           grid: { color: color('line') } } } }, more);
}

function line_chart(id, lines) {
  const datasets = lines.map(([label, name, key]) => ({
    label, data: series[key] = [], borderColor: color(name), backgroundColor: color(name),
    borderWidth: 1.8, pointRadius: 0, tension: 0.25 }));
  const made = new Chart(by_id(id), { type: 'line', data: { labels: times, datasets }, options: base({}) });
  charts.push(made);
  return made;
}

function bar_chart(id) {
  const dataset = (label, name) => ({ label, data: [], backgroundColor: color(name), stack: 'all' });
  const options = base({ indexAxis: 'y' });
  options.scales.x = { stacked: true, beginAtZero: true, ticks: { precision: 0, color: color('soft') },
                       grid: { color: color('line') } };
  options.scales.y = { stacked: true, ticks: { color: color('soft') }, grid: { display: false } };
  const made = new Chart(by_id(id), { type: 'bar', options, data: { labels: [], datasets: [
    dataset('active', 'blue'), dataset('idle', 'green'), dataset('connecting', 'orange'),
    dataset('not open', 'grey')] } });
  charts.push(made);
  return made;
}

let throughput, latency, pools_chart, queue;
function draw_charts() {
  for (const each of charts.splice(0)) each.destroy();
  throughput = line_chart('throughput', [['statements', 'blue', 'statements'],
    ['transactions', 'green', 'transactions'], ['errors', 'red', 'errors']]);
  latency = line_chart('latency', [['p50', 'green', 'p50'], ['p95', 'blue', 'p95'], ['p99', 'orange', 'p99']]);
  pools_chart = bar_chart('pools_chart');
  queue = line_chart('queue', []);
}

function push(list, value) {
  list.push(value);
  if (list.length > kept) list.shift();
}

const tenant_lines = new Map();
const tenant_colors = ['blue', 'orange', 'violet', 'green', 'red'];
function update_queue(tenants) {
  for (const each of [...tenants].sort((a, b) => b.waiting - a.waiting)) {
    if (tenant_lines.has(each.name) || tenant_lines.size >= tenant_colors.length) continue;
    if (each.waiting === 0 && tenant_lines.size > 0) continue;
    const name = tenant_colors[tenant_lines.size];
    tenant_lines.set(each.name, { label: each.name, data: new Array(Math.max(times.length - 1, 0)).fill(0),
      borderColor: color(name), backgroundColor: color(name), borderWidth: 1.8, pointRadius: 0, stepped: true });
    queue.data.datasets.push(tenant_lines.get(each.name));
  }
  const now = new Map(tenants.map((each) => [each.name, each.waiting]));
  for (const [name, line] of tenant_lines) push(line.data, now.get(name) || 0);
}

// ------------------------------------------------------------------------------------------ state

function percentile(bounds, counts, q) {
  const all = counts.reduce((sum, n) => sum + n, 0);
  if (all === 0) return null;
  let seen = 0;
  for (let i = 0; i < counts.length; ++i) {
    if (counts[i] > 0 && seen + counts[i] >= q * all) {
      const from = i === 0 ? 0 : bounds[i - 1];
      const to = i < bounds.length ? bounds[i] : from;
      return from + (to - from) * (q * all - seen) / counts[i];
    }
    seen += counts[i];
  }
  return bounds[bounds.length - 1];
}

function tile(title, value, alarm) {
  const made = element('div', undefined, alarm ? 'tile alarm' : 'tile');
  made.append(element('b', value), element('span', title));
  return made;
}

function show(now) {
  if (!before) {
    before = now;  // what was counted before says nothing of this second
    return;
  }
  by_id('version').textContent = now.version;
  const status = by_id('status');
  status.textContent = now.draining ? 'shutting down' : 'up ' + duration(now.uptime_s * 1000);
  status.className = now.draining ? 'alarm' : 'good';
  const seconds = Math.max(now.time - before.time, 0.001);
  const old = before;
  const rate = (key) => Math.max(0, now.totals[key] - old.totals[key]) / seconds;
  const counts = now.latency.counts.map((n, i) => n - old.latency.counts[i]);
  const p = (q) => percentile(now.latency.bounds_ms, counts, q);
  push(times, new Date(now.time * 1000).toLocaleTimeString([], { hour12: false }));
  for (const key of ['statements', 'transactions', 'errors']) push(series[key], rate(key));
  const [p50, p95, p99] = [p(0.5), p(0.95), p(0.99)];
  push(series.p50, p50); push(series.p95, p95); push(series.p99, p99);
  by_id('tiles').replaceChildren(
    tile('statements/s', number(rate('statements'))), tile('transactions/s', number(rate('transactions'))),
    tile('p99', p99 === null ? '–' : duration(p99)), tile('clients', number(now.totals.clients)),
    tile('active', number(now.totals.active)), tile('waiting', number(now.totals.waiting), now.totals.waiting > 0),
    tile('errors/s', number(rate('errors')), rate('errors') > 0),
    tile('from clients', size(rate('received_bytes')) + '/s'), tile('to clients', size(rate('sent_bytes')) + '/s'));
  show_pools(now);
  update_queue(now.tenants);
  for (const each of charts) each.update('none');
  show_tables(now);
  before = now;
}

function show_pools(now) {
  const most = [...now.pools].sort((a, b) => (b.working - b.idle) - (a.working - a.idle)).slice(0, 10);
  pools_chart.data.labels = most.map((each) => each.name);
  const set = pools_chart.data.datasets;
  const sqlite = (each) => each.engine === 'sqlite';
  set[0].data = most.map((each) => sqlite(each) ? each.active : each.working - each.idle);
  set[1].data = most.map((each) => sqlite(each) ? Math.max(each.working - each.active, 0) : each.idle);
  set[2].data = most.map((each) => Math.max(each.open - each.working, 0));
  set[3].data = most.map((each) => Math.max(each.size - each.open, 0));
}

const who = [['Client', (c) => c.id + (c.application ? ' (' + c.application + ')' : '')],
  ['User', (c) => c.user], ['Database', (c) => c.database], ['Tenant', (c) => c.tenant],
  ['From', (c) => c.peer]];

function show_tables(now) {
  const more = (name) => now[name + '_count'] > now[name].length
    ? now[name].length + ' of ' + now[name + '_count'] : now[name + '_count'] ? '' + now[name + '_count'] : '';
  by_id('waiting_count').textContent = more('waiting');
  by_id('pinned_count').textContent = more('pinned');
  table('waiting', [['Why', (c) => c.for || 'backend', 'why'], ['What is used up', (c) => c.why], ['Since', (c) => duration(c.since_ms), 'number'], ...who],
    now.waiting, 'Nobody waits.');
  table('pinned', [['Why', (c) => c.pinned_by || 'open transaction', 'why'], ['State', (c) => c.state],
    ['Since', (c) => duration(c.since_ms), 'number'], ['Backend', (c) => c.backend || '', 'number'], ...who],
    now.pinned, 'Nobody keeps a backend between requests.');
  table('statements', [['Statement', (s) => s.text, 'text'], ['Database', (s) => s.database],
    ['Calls', (s) => number(s.calls), 'number'], ['Rows', (s) => number(s.rows), 'number'],
    ['p50', (s) => duration(s.p50_ms), 'number'], ['p99', (s) => duration(s.p99_ms), 'number'],
    ['Total', (s) => duration(s.backend_ms), 'number'], ['Errors', (s) => s.errors || '', 'number bad']],
    now.statements, 'No statement was run yet.');
  const same = (a, b) => a.database === b.database && a.code === b.code;
  const errors = now.errors.map((e) => ({ ...e,
    reason: now.refusals.filter((r) => same(r, e)).map((r) => r.reason).join(', ') || 'from the server' }));
  errors.push(...now.refusals.filter((r) => !errors.some((e) => same(r, e))));
  table('errors', [['Code', (e) => e.code], ['Database', (e) => e.database],
    ['Reason', (e) => e.reason.replaceAll('_', ' ')], ['Count', (e) => number(e.count), 'number']], errors, 'No errors.');
  table('pins', [['Reason', (p) => p.reason], ['Pool', (p) => p.pool], ['Count', (p) => number(p.count), 'number']],
    now.pins, 'No client was pinned.');
  const load = [['Clients', (t) => number(t.clients), 'number'], ['Active', (t) => number(t.active), 'number'],
    ['Waiting', (t) => number(t.waiting), 'number']];
  const refused = (t) => Object.entries(t.refused || {}).map(([by, n]) => by + ' ' + number(n)).join(', ');
  table('tenants', [['Tenant', (t) => t.name], ...load,
    ['Running', (t) => t.running + (t.max_concurrent ? ' of ' + t.max_concurrent : ''), 'number'],
    ['Refused', refused], ['Statements', (t) => number(t.statements), 'number'],
    ['Errors', (t) => number(t.errors), 'number'], ['p50', (t) => duration(t.p50_ms), 'number'],
    ['p99', (t) => duration(t.p99_ms), 'number'], ['Waited p99', (t) => duration(t.wait_p99_ms), 'number']],
    [...now.tenants].sort((a, b) => b.waiting - a.waiting || b.statements - a.statements).slice(0, 50), 'No tenants yet.');
  table('pools', [['Pool', (p) => p.name], ['Engine', (p) => p.engine], ['Mode', (p) => p.mode],
    ['Backends', (p) => p.open + ' of ' + p.size, 'number'], ['Idle', (p) => p.idle, 'number'], ...load,
    ['Longest wait', (p) => p.oldest_wait_ms ? duration(p.oldest_wait_ms) : '', 'number'],
    ['Last connect', (p) => p.last_failure || 'ok', '']], now.pools, 'No pool was used yet.');
  show_databases(now);
}

function show_databases(now) {
  const names = ['', ...new Set(now.databases.map((d) => d.name))];
  const select = by_id('action_database');
  if (select.options.length === names.length) return;
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => {
    const made = element('option', name || 'all databases');
    made.value = name;
    return made;
  }));
  select.value = chosen;
}

async function act(what) {
  const result = by_id('action_result');
  const body = new URLSearchParams({ database: by_id('action_database').value });
  const answer = await fetch('/api/v1/' + what, { method: 'POST', body, headers: { 'X-Sluice-Word': session.word } });
  result.textContent = answer.ok ? what + 'd' : await answer.text();
}

async function learn_session() {
  const answer = await fetch('/api/v1/session');
  if (answer.ok) session = await answer.json();
  by_id('actions').hidden = !session.admin;
  by_id('login').hidden = !!session.admin;
  by_id('session').textContent = session.admin ? 'logged in as ' + session.admin : '';
}

async function ask() {
  const first = !before;
  try {
    const answer = await fetch('/api/v1/state');
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(answer.status + ' ' + answer.statusText);
    show(await answer.json());
  } catch (problem) {
    by_id('status').textContent = 'no answer: ' + problem.message;
    by_id('status').className = 'alarm';
  }
  setTimeout(ask, first && before ? 200 : 1000);
}

draw_charts();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => location.reload());
for (const button of document.querySelectorAll('[data-action]'))
  button.addEventListener('click', () => act(button.dataset.action));
learn_session();
ask();
