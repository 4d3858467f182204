// Loads the resolver's core at its first use, so that a function that mints nothing does not compile it.

import { load } from '../generated/core-resolver.js';
import type { ResolverModule } from './resolver-core.js';

let core: ResolverModule | undefined;

export function resolverCore(): ResolverModule {
  return (core ??= load());
}
