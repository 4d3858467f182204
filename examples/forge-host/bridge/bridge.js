// The bridge that Forge adds to a Custom UI, where `@forge/bridge` finds it as `globalThis.__bridge`. It sends every call to
// the host page as a message, and ignores messages from any other page.
(() => {
  const host = document.currentScript.dataset.host;
  const calls = new Map();
  let last = 0;

  const toHost = (message) => window.parent.postMessage({ forge: 'bridge', ...message }, host);

  const call = (command, data) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      calls.set(id, { resolve, reject });
      toHost({ id, command, data });
    });

  const showTheme = (colorMode) => {
    document.documentElement.dataset.colorMode = colorMode;
    document.documentElement.dataset.theme = 'light:light dark:dark';
  };
  let themed = false;

  const callBridge = async (command, data) => {
    if (command === 'enableTheming') {
      themed = true;
      showTheme(await call('theme'));
      return undefined;
    }
    return call(command, data);
  };

  window.addEventListener('message', ({ source, origin, data }) => {
    if (source !== window.parent || origin !== host || data?.forge !== 'host') return;
    if (data.theme) return void (themed && showTheme(data.theme));
    const waiting = calls.get(data.id);
    calls.delete(data.id);
    if (data.error) waiting?.reject(new Error(data.error));
    else waiting?.resolve(data.result);
  });

  // Forge adjusts an iframe to the height of its content.
  window.addEventListener('DOMContentLoaded', () => {
    new ResizeObserver(() => toHost({ height: document.body.offsetHeight })).observe(document.body);
  });

  Object.defineProperty(globalThis, '__bridge', { value: Object.freeze({ callBridge }) });
})();
