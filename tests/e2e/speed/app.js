// The page of `cargo xtask client-speed --start`, as the first lines of an app: the package and its subscriptions.
import { start } from '../page/connect.js';

globalThis.received = [];
globalThis.start = start;
globalThis.subscribe = (channel) =>
  globalThis.realtime.subscribe(channel, (payload, error) => {
    if (error) throw error;
    globalThis.received.push(payload);
  });
