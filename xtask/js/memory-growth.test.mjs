// Runs both builds of xtask/memory-growth, a small core from the real pipeline, past their initial memory. `cargo xtask
// test` passes the folder of the built modules.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = process.env.SEALWIRE_BUILT_CORES;
const MEBIBYTE = 2 ** 20;

for (const build of ['core-wasm', 'core-js']) {
  const module = pathToFileURL(join(folder, `${build}.js`)).href;
  const core = await (await import(module)).load();

  /** Uses every view, so that the glue caches each of them, and then grows the memory. */
  const grow = () => {
    core.sum(new Uint8Array([1]));
    core.repeat('warm', 1);
    core.leak(3 * MEBIBYTE);
  };

  test(`${build}: bytes that are written after the memory grew arrive`, () => {
    grow();
    assert.equal(core.sum(new Uint8Array(5 * MEBIBYTE).fill(2)), 10 * MEBIBYTE);
  });

  test(`${build}: bytes that are read after the memory grew are the new ones`, () => {
    grow();
    const bytes = core.count(5 * MEBIBYTE);
    assert.equal(bytes.length, 5 * MEBIBYTE);
    assert.deepEqual([...bytes.subarray(-3)], [253, 254, 255]);
  });

  test(`${build}: strings survive growth on their way in and out`, () => {
    grow();
    assert.equal(core.repeat('añ€', 2 * MEBIBYTE), 'añ€'.repeat(2 * MEBIBYTE));
    assert.equal(core.characters('x' + '€'.repeat(2 * MEBIBYTE)), 2 * MEBIBYTE + 1);
  });

  test(`${build}: a load sees the values in the memory that the call for its address grew`, () => {
    for (let value = 1; value <= 4; value++) {
      assert.equal(core.first(2 * MEBIBYTE, value), value);
      assert.equal(core.difference(2 * MEBIBYTE, 10 * value, value), 9 * value);
    }
  });
}
