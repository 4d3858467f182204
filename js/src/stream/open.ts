// realtime.stream(): checks the call.

import { invalid } from '../arguments/invalid.js';
import { checkChannelName } from '../arguments/names.js';
import { checkFunction, checkOptions } from '../arguments/options.js';
import { checkStreamId } from './id.js';
import { Reader, type Source } from './reader.js';
import type { StreamOptions, TextStream } from './types.js';

export function openStream(source: Source, channelName: unknown, given: unknown): TextStream {
  const options = checkOptions(given) as StreamOptions;
  const channel = checkChannelName(channelName);
  checkStreamId(options.id);
  for (const name of ['onGap', 'onRestart'] as const) {
    if (options[name] !== undefined) checkFunction(options[name], `The option ${name}`);
  }
  const { silenceSeconds } = options;
  if (silenceSeconds !== undefined && !(typeof silenceSeconds === 'number' && silenceSeconds > 0)) {
    throw invalid('The option silenceSeconds must be a number of seconds above 0.');
  }
  return new Reader(source, channel, options);
}
