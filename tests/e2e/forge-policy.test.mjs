// A page under Forge's bridge and policy connects without violating the policy. Atlassian receives reports of violations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setExamples } from './support/examples.mjs';

const VIEW = { user: 'blue-ada', module: 'panel', issue: '7', project: '3' };

const examples = setExamples();

test('a Forge page loads the core, connects, publishes and receives without violating its policy', async () => {
  const page = await examples.open(VIEW);
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  await page.evaluate(() => globalThis.examples.defaultContext());
  const { errors } = await page.evaluate(() => globalThis.publish('hello'));
  assert.equal(errors, undefined);
  await page.waitForFunction(() => globalThis.received.length === 1);
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  assert.deepEqual(
    said.filter((text) => /policy/i.test(text)),
    [],
  );
  assert.equal(await page.evaluate(() => globalThis.realtime.core), 'js');
  // The policy forbids compiling WebAssembly, and the page would have recorded the violation.
  const tried = await page.evaluate(async () => {
    const violated = new Promise((resolve) =>
      addEventListener('securitypolicyviolation', resolve, { once: true }),
    );
    try {
      new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    } catch {
      await violated;
    }
    return globalThis.violations;
  });
  assert.deepEqual(tried, ['script-src wasm-eval']);
});
