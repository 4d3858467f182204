// The results of `invoke` of `@forge/bridge`, which the functions of an app pass on.

/**
 * A result of `invoke` of `@forge/bridge`: the value itself, or the value as `body` if the call asked for metadata. Its type
 * allows both since 7.2.0.
 */
export type Invoked<T> = T | { body: T };

/** Returns the value in a result of `invoke`. */
export function valueOf(result: unknown): unknown {
  return typeof result === 'object' && result !== null && 'body' in result ? result.body : result;
}
