// What `cargo xtask package` writes into src/generated, for the compiler to know before it has run.

declare module '*/generated/core-wasm.js' {
  export function load(): Promise<import('./browser-core.js').CoreModule>;
}

declare module '*/generated/core-js.js' {
  export function load(): Promise<import('./browser-core.js').CoreModule>;
}

declare module '*/generated/core-resolver.js' {
  export function load(): import('./resolver-core.js').ResolverModule;
}
