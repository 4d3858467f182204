// nameOf(): reads the name behind a tag, for the app's admin.

import { invalid, kindOf } from '../arguments/invalid.js';
import { checkOptions } from '../arguments/options.js';
import type { TaggedName } from '../core/resolver-core.js';
import { errorFromCore } from '../errors/from-core.js';
import type { Backend } from './backend.js';
import { deadlineOf } from './deadline.js';
import { lateSecret } from './failures.js';
import { inquiryOf } from './inquiry.js';
import { currentContext, currentInvocation } from './invocation.js';
import { settingsWithin } from './relay-settings.js';

export async function nameOf(backend: Backend, tag: unknown, given: unknown): Promise<TaggedName> {
  const options = checkOptions(given);
  if (typeof tag !== 'string') throw invalid(`nameOf() takes a tag, which is a text, not ${kindOf(tag)}.`);
  const deadline = deadlineOf(options, backend.timeoutMs);
  const context = currentContext(options['context']);
  const inquiry = inquiryOf(backend, currentInvocation());
  const { app } = await settingsWithin(deadline, inquiry.settings(context));
  const installation = backend.installation(context);
  const secret = await deadline.within(backend.secrets.of(installation), () => lateSecret(deadline));
  try {
    return backend.core().nameOf(app, installation, tag, secret);
  } catch (thrown) {
    throw errorFromCore(thrown);
  }
}
