// Runs axe-core in a page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Returns the violations that axe-core finds in a page. The script is evaluated by the browser's debugger, which the page's
 * policy does not restrict.
 * @param {import('playwright-core').Page} page
 */
export async function violationsIn(page) {
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations;
}
