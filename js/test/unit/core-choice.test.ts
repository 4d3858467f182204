import assert from 'node:assert/strict';
import { test } from 'node:test';

import { loadCore } from '../../src/core/load.js';
import { wasmAllowed } from '../../src/core/probe.js';
import { fakeCore } from '../support/fake-core.js';
import { isError } from '../support/rejects.js';

/** Runs a test as on a page whose Content-Security-Policy forbids compiling. */
async function withoutWasm<T>(run: () => Promise<T>): Promise<T> {
  const { Module } = WebAssembly;
  WebAssembly.Module = class {
    constructor() {
      throw new WebAssembly.CompileError('violates the following Content Security policy directive');
    }
  } as unknown as typeof WebAssembly.Module;
  try {
    return await run();
  } finally {
    WebAssembly.Module = Module;
  }
}

test('WebAssembly runs if the page may compile it', async () => {
  const { sources, loads } = fakeCore();
  assert.equal(wasmAllowed(), true);
  assert.equal((await loadCore(undefined, sources)).kind, 'wasm');
  assert.deepEqual(loads, ['wasm']);
});

test('plain JavaScript runs if the page forbids WebAssembly, and the other chunk is never fetched', async () => {
  const { sources, loads } = fakeCore();
  await withoutWasm(async () => {
    assert.equal(wasmAllowed(), false);
    assert.equal((await loadCore(undefined, sources)).kind, 'js');
  });
  assert.deepEqual(loads, ['js']);
});

test('plain JavaScript runs if there is no WebAssembly at all', async () => {
  const { sources } = fakeCore();
  const whole = globalThis.WebAssembly;
  Reflect.deleteProperty(globalThis, 'WebAssembly');
  try {
    assert.equal((await loadCore(undefined, sources)).kind, 'js');
  } finally {
    globalThis.WebAssembly = whole;
  }
});

test('plain JavaScript runs if the browser cannot decompress WebAssembly, and the option core says why', async () => {
  const { sources, loads } = fakeCore();
  const whole = globalThis.DecompressionStream;
  Reflect.deleteProperty(globalThis, 'DecompressionStream');
  try {
    assert.equal((await loadCore(undefined, sources)).kind, 'js');
    assert.deepEqual(loads, ['js']);
    await assert.rejects(
      loadCore('wasm'),
      isError('UNREACHABLE', /DecompressionStream is not defined.*omit the option core/),
    );
  } finally {
    globalThis.DecompressionStream = whole;
  }
});

test('plain JavaScript runs if the real module does not compile although the empty one did', async () => {
  const { sources } = fakeCore();
  const failing = { ...sources, wasm: () => Promise.reject(new RangeError('out of memory')) };
  assert.equal((await loadCore(undefined, failing)).kind, 'js');
});

test('on a page of Forge no module is compiled as a probe, and the option core decides', async () => {
  const { sources, loads } = fakeCore();
  let compiled = 0;
  const { Module } = WebAssembly;
  WebAssembly.Module = class {
    constructor() {
      compiled += 1;
    }
  } as unknown as typeof WebAssembly.Module;
  Object.assign(globalThis, { __bridge: { callBridge: async () => {} } });
  try {
    assert.equal((await loadCore(undefined, sources)).kind, 'js');
    assert.equal((await loadCore('wasm', sources)).kind, 'wasm');
    assert.deepEqual([compiled, loads], [0, ['js', 'wasm']]);
    const failing = { ...sources, wasm: () => Promise.reject(new Error('no')) };
    await assert.rejects(loadCore('wasm', failing), isError('UNREACHABLE', /permissions\.content\.scripts/));
    assert.equal(compiled, 0);
  } finally {
    WebAssembly.Module = Module;
    Reflect.deleteProperty(globalThis, '__bridge');
  }
});

test('a forced build runs, or its failure is reported', async () => {
  const { sources, loads } = fakeCore();
  assert.equal((await loadCore('js', sources)).kind, 'js');
  assert.equal((await loadCore('wasm', sources)).kind, 'wasm');
  assert.deepEqual(loads, ['js', 'wasm']);
  const failing = { ...sources, wasm: () => Promise.reject(new Error('no')) };
  await assert.rejects(
    loadCore('wasm', failing),
    isError('UNREACHABLE', /The wasm build .* could not be loaded: no\.$/),
  );
  await withoutWasm(() =>
    assert.rejects(loadCore('wasm', failing), isError('UNREACHABLE', /The page forbids WebAssembly/)),
  );
});
