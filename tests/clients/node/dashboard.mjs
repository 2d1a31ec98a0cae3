// The dashboard in Chromium. Arguments: URL, what to wait for ("load", "waits") or to do ("clicks":
// log in, pause, resume; TOKEN, ADMIN and PASSWORD are in the environment), width, theme, a file for
// the screenshot. Prints what was seen as JSON; no request may leave the gateway.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, wanted, width, theme, picture] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'sl-chromium-'));
const launch = Date.now();
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  colorScheme: theme,
  viewport: { width: Number(width), height: 900 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
// How long Chromium itself took: what is in seconds is held against that on a slow machine.
const seen = { console: [], outside: [], failed: [], launched: Date.now() - launch };

// What a form with these fields is answered with: its status.
async function submit(page, fields) {
  const first = Object.keys(fields)[0];
  const form = page.locator('form', { has: page.locator(`input[name=${first}]`) });
  for (const [name, value] of Object.entries(fields)) await form.locator(`[name=${name}]`).fill(value);
  const answered = page.waitForResponse((each) => each.url() === url + 'login');
  await form.locator('button').click();
  return (await answered).status();
}

async function click(page) {
  const { TOKEN, ADMIN, PASSWORD } = process.env;
  seen.refused = [await submit(page, { token: TOKEN + 'x' })];
  seen.refusal = await page.locator('body').innerText();
  await page.goto(url);
  await submit(page, { token: TOKEN });
  await page.locator('#login').waitFor({ state: 'visible', timeout: 60000 });
  seen.looker = { form: await page.locator('#action_form').isVisible(), login: true };
  seen.refused.push(await submit(page, { user: ADMIN, password: PASSWORD + 'x' }));
  await page.goto(url);
  await submit(page, { user: ADMIN, password: PASSWORD });
  await page.locator('#action_form').waitFor({ state: 'visible', timeout: 60000 });
  seen.session = await page.locator('#session').innerText();
  const choice = page.locator('#action_database');
  await choice.locator('option', { hasText: 'app' }).waitFor({ state: 'attached', timeout: 60000 });
  seen.databases = await choice.locator('option').allTextContents();
  await choice.selectOption('app');
  const said = async (what) => {
    await page.locator(`[data-action=${what}]`).click();
    await page.locator('#action_result', { hasText: what + 'd' }).waitFor({ timeout: 60000 });
    return page.locator('#action_result').innerText();
  };
  seen.paused = { said: await said('pause') };
  const why = page.locator('#waiting td.why').first();
  await why.waitFor({ timeout: 60000 });
  seen.paused.why = await why.innerText();
  const rate = page.locator('.tile', { hasText: 'statements/s' }).locator('b');
  // A second in which nothing ran, and was seen.
  await page.waitForFunction(() => [...document.querySelectorAll('.tile')]
    .find((each) => each.textContent.includes('statements/s')).querySelector('b').textContent === '0',
  null, { timeout: 60000 });
  seen.paused.rate = await rate.innerText();
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  seen.resumed = { said: await said('resume') };
  await page.waitForFunction(() => [...document.querySelectorAll('.tile')]
    .find((each) => each.textContent.includes('statements/s')).querySelector('b').textContent !== '0',
  null, { timeout: 60000 });
  await page.locator('#waiting', { hasText: 'Nobody waits.' }).waitFor({ timeout: 60000 });
  seen.resumed.waiting = await page.locator('#waiting').innerText();
}

async function look(page, began) {
  const tile = (name) => page.locator('.tile', { hasText: name }).locator('b');
  const text = async (name) => (await tile(name).textContent()).trim();
  if (wanted === 'waits') {
    await page.locator('#waiting td.why').first().waitFor({ timeout: 60000 });
    seen.waiting = await page.locator('#waiting tbody tr').allTextContents();
    seen.pinned = await page.locator('#pinned tbody tr').allTextContents();
  } else {
    await page.waitForFunction(() => {
      const made = [...document.querySelectorAll('.tile')]
        .find((each) => each.textContent.includes('statements/s'));
      return made && made.querySelector('b').textContent !== '0' &&
        document.querySelector('#statements tbody tr');
    }, null, { timeout: 60000 });
  }
  seen.took = Date.now() - began;
  await page.waitForTimeout(1500);
  seen.statements = await text('statements/s');
  seen.p99 = await text('p99');
  seen.wide = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  seen.drawn = await page.evaluate(() => [...document.querySelectorAll('canvas')].map((canvas) => {
    const { width, height } = canvas;
    const all = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    return all.some((value) => value !== 0);
  }));
  seen.text = await page.locator('main').innerText();
  if (picture) await page.screenshot({ path: picture, fullPage: true });
}

try {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') seen.console.push(message.text());
  });
  page.on('pageerror', (error) => seen.console.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      seen.outside.push(request.url());
  });
  page.on('requestfailed', (request) => {
    // Polls that end because the page is left are no failure.
    const left = wanted === 'clicks' && request.failure().errorText === 'net::ERR_ABORTED';
    if (!left) seen.failed.push(request.url());
  });
  const began = Date.now();
  await page.goto(url);
  if (wanted === 'clicks') await click(page);
  else await look(page, began);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
