// Declares the modules that `cargo xtask package` writes into src/generated, so that the compiler does not need them.

declare module '*/generated/core-wasm.js' {
  export function load(): Promise<import('./browser-core.js').CoreModule>;
}

declare module '*/generated/core-js.js' {
  export function load(): Promise<import('./browser-core.js').CoreModule>;
}

declare module '*/generated/core-resolver.js' {
  export function load(): import('./resolver-core.js').ResolverModule;
}
