// The resolver's core, compiled at its first use: a function that mints nothing pays nothing.

import { load } from '../generated/core-resolver.js';
import type { ResolverModule } from './resolver-core.js';

let core: ResolverModule | undefined;

export function resolverCore(): ResolverModule {
  return (core ??= load());
}
