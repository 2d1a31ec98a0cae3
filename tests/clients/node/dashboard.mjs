// The dashboard in Chromium. Arguments: URL, what to wait for ("load" or "waits"), width, theme, a
// file for the screenshot. Prints what was seen as JSON; no request may leave the gateway.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, wanted, width, theme, picture] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'sl-chromium-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  colorScheme: theme,
  viewport: { width: Number(width), height: 900 },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const seen = { console: [], outside: [], failed: [] };
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
  page.on('requestfailed', (request) => seen.failed.push(request.url()));
  const began = Date.now();
  await page.goto(url);
  const tile = (name) => page.locator('.tile', { hasText: name }).locator('b');
  const text = async (name) => (await tile(name).textContent()).trim();
  if (wanted === 'waits') {
    await page.locator('#waiting td.why').first().waitFor({ timeout: 5000 });
    seen.waiting = await page.locator('#waiting tbody tr').allTextContents();
    seen.pinned = await page.locator('#pinned tbody tr').allTextContents();
  } else {
    await page.waitForFunction(() => {
      const made = [...document.querySelectorAll('.tile')]
        .find((each) => each.textContent.includes('statements/s'));
      return made && made.querySelector('b').textContent !== '0' &&
        document.querySelector('#statements tbody tr');
    }, null, { timeout: 5000 });
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
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
console.log(JSON.stringify(seen));
