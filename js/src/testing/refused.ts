// Why the test relay refuses something: what the real core throws, a plain object.

import type { CoreError } from '../core/core-error.js';
import type { ErrorCode } from '../errors/codes.js';

export function refused(code: ErrorCode, message: string): CoreError {
  return { code, message };
}
