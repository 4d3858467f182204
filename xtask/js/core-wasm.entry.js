// The browser core as WebAssembly. xtask puts this beside what wasm-bindgen generated and bundles both.
import start, * as core from './core.js';
import base64 from './core_bg.wasm';

let loading;

export function load() {
  loading ??= start({
    module_or_path: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  }).then(() => core);
  return loading;
}
