// What a call with wrong arguments throws.

import { SealwireError } from '../errors/sealwire-error.js';

export function invalid(message: string): SealwireError {
  return new SealwireError('INVALID_ARGUMENT', message);
}

/** The platform's own name of an object's kind, such as `Map`. It holds for objects of another realm too. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** True for what the platform defines, such as a Map or an Event, and false for objects of the app's own classes. */
export function isPlatformObject(tag: string): boolean {
  return (
    tag !== 'Object' && Object.hasOwn(globalThis, tag) && typeof Reflect.get(globalThis, tag) === 'function'
  );
}

/** Names a value's kind without showing the value: it may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return typeof value;
  const tag = tagOf(value);
  const kind = isPlatformObject(tag) ? tag : 'object';
  return `${/^[AEIOaeio]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
