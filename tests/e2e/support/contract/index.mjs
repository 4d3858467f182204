// The behaviour of Realtime that an app can observe. It holds on every relay: the real one with the real core, and the
// in-memory relay of sealwire/testing. A system offers page(), resolver, cut(), restore(), restart() and outlastWindow().
import { calls } from './calls.mjs';
import { continuity } from './continuity.mjs';
import { messages } from './messages.mjs';
import { scopes } from './scopes.mjs';
import { tokens } from './tokens.mjs';

export { issue } from './pages.mjs';

/** The behaviours that depend on names of channels and events, or on the values of a context. */
export const behavioursOfNames = { ...scopes, ...messages, ...tokens };

export const behaviours = { ...behavioursOfNames, ...continuity, ...calls };
