// Creates the error for a wrong argument, and names the kind of a value in it.

import { SealwireError } from '../errors/sealwire-error.js';

export function invalid(message: string): SealwireError {
  return new SealwireError('INVALID_ARGUMENT', message);
}

/** Returns the platform's name for an object's kind, such as `Map`, also for an object of another realm. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Returns whether the platform defines this kind, such as Map or Event. It is false for the app's own classes. */
export function isPlatformObject(tag: string): boolean {
  return (
    tag !== 'Object' && Object.hasOwn(globalThis, tag) && typeof Reflect.get(globalThis, tag) === 'function'
  );
}

/** Names the kind of a value. It never shows the value, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return typeof value;
  const tag = tagOf(value);
  const kind = isPlatformObject(tag) ? tag : 'object';
  return `${/^[AEIOaeio]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
