// The resolver core as WebAssembly, for Node.js. Forge bundles functions and would lose a separate file, so the module is part of
// the text: compressed, in base64. Functions call the core synchronously, so the first call compiles it.
import * as core from './core.js';
import base64 from './core_bg.zlib';

let loaded = false;

export function load() {
  if (!loaded) {
    // Only a function that uses the core loads zlib.
    const { inflateSync } = process.getBuiltinModule('node:zlib');
    core.initSync({ module: new WebAssembly.Module(inflateSync(Buffer.from(base64, 'base64'))) });
    loaded = true;
  }
  return core;
}
