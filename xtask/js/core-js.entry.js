// The browser core as plain JavaScript. xtask puts this beside what wasm-bindgen and wasm2js generated and bundles all.
import * as core from './core_bg.js';
import { instantiate } from './core_bg.wasm.js';

let loading;

async function start() {
  const code = instantiate();
  core.__wbg_set_wasm(code);
  code.__wbindgen_start?.();
  return core;
}

export function load() {
  loading ??= start();
  return loading;
}
