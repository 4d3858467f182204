// The browser core as WebAssembly. xtask bundles this file with the output of wasm-bindgen.
import start, * as core from './core.js';
import hex from './core_bg.hex';

let loading;

function bytes() {
  if (Uint8Array.fromHex) return Uint8Array.fromHex(hex);
  const module = new Uint8Array(hex.length / 2);
  for (let at = 0; at < module.length; at++) module[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return module;
}

export function load() {
  loading ??= start({ module_or_path: bytes() }).then(() => core);
  return loading;
}
