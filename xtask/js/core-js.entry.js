// The browser core as plain JavaScript. xtask bundles this file with the output of wasm-bindgen and wasm2js.
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
