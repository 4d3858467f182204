// Chooses the build of the core and loads it, each from a chunk of its own, so that a page downloads only one.

import { messageOf } from '../errors/failure-of.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { CoreKind, CoreModule } from './browser-core.js';
import { isForgePage, wasmAllowed } from './probe.js';

export interface LoadedCore {
  kind: CoreKind;
  module: CoreModule;
}

/** Where each build comes from; tests put others in their place. */
export interface CoreSources {
  wasm(): Promise<CoreModule>;
  js(): Promise<CoreModule>;
}

const sources: CoreSources = {
  wasm: async () => (await import('../generated/core-wasm.js')).load(),
  js: async () => (await import('../generated/core-js.js')).load(),
};

/** A browser names the address of a chunk that it could not fetch in its own error. */
function whyNot(kind: CoreKind, cause: unknown): string {
  const reason = `: ${messageOf(cause).replace(/[.\s]+$/, '')}.`;
  if (kind !== 'wasm') return reason;
  if (isForgePage()) {
    return `${reason} Forge's policy forbids WebAssembly unless manifest.yml has unsafe-eval under permissions.content.scripts; leave out the option core.`;
  }
  return wasmAllowed() ? reason : `${reason} The page forbids WebAssembly.`;
}

async function loadKind(kind: CoreKind, from: CoreSources): Promise<LoadedCore> {
  try {
    return { kind, module: await from[kind]() };
  } catch (cause) {
    const message = `The ${kind} build of the realtime core could not be loaded${whyNot(kind, cause)}`;
    throw new SealwireError('UNREACHABLE', message, { cause });
  }
}

/** `forced` is what the app insists on; otherwise WebAssembly where it is allowed, and plain JavaScript where not. */
export async function loadCore(forced?: CoreKind, from: CoreSources = sources): Promise<LoadedCore> {
  if (forced) return loadKind(forced, from);
  if (!wasmAllowed()) return loadKind('js', from);
  // A page may allow the empty module and still refuse a real one, for want of memory for instance.
  return loadKind('wasm', from).catch(() => loadKind('js', from));
}
