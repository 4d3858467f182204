// The examples of Forge's documentation of Realtime. Only the import of `realtime` differs.
import { invoke } from '@forge/bridge';
import { Jira, realtime } from 'sealwire';

globalThis.received = [];
globalThis.problems = [];
const onEvent = (payload, error) =>
  error ? globalThis.problems.push(error.code) : globalThis.received.push(payload);

globalThis.states = [];
realtime.onStateChange((state, error) => globalThis.states.push(error ? `${state} ${error.code}` : state));

globalThis.examples = {
  async defaultContext() {
    const subscription = await realtime.subscribe('example', onEvent);
    globalThis.leave = () => subscription.unsubscribe();
  },

  async overriddenContext() {
    await realtime.subscribe('example', onEvent, { contextOverrides: [Jira.Project] });
  },

  async globalChannel() {
    await realtime.subscribeGlobal('example', onEvent);
  },

  async customClaims() {
    const { token, expiresAt } = await invoke('getToken');
    if (expiresAt <= Date.now() / 1000) throw new Error('the token has expired');
    await realtime.subscribe('example', onEvent, { token });
  },
};

globalThis.publish = (payload, options) => realtime.publish('example', payload, options);
globalThis.publishGlobal = (payload) => realtime.publishGlobal('example', payload);
globalThis.inProject = { contextOverrides: [Jira.Project] };
globalThis.invoke = invoke;
globalThis.realtime = realtime;
