// realtime.stream(): checks a call and opens the stream.

import { invalid } from '../arguments/invalid.js';
import { checkChannelName } from '../arguments/names.js';
import { checkFunction, checkOptions } from '../arguments/options.js';
import { checkStreamId } from '../text-stream/id.js';
import { TextStreamReader, type StreamSource } from './text-stream.js';
import type { StreamOptions, TextStream } from './text-stream-types.js';

export function openTextStream(source: StreamSource, channelName: unknown, given: unknown): TextStream {
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
  return new TextStreamReader(source, channel, options);
}
