// The platform's bridge in the global scope of a UI Kit page, which is an iframe or a web worker. It passes the page's elements
// to the product's page, presses buttons for it, and sends all other calls to the test.
const { searchParams } = new URL(self.location.href);
const isWorker = typeof window === 'undefined';
const toProduct = (message) => (isWorker ? self.postMessage(message) : parent.postMessage(message, '*'));
let root;

/** Returns an element without its functions, which cannot be sent. */
function plain({ type, props, children }) {
  const sendable = Object.entries(props).filter(([, value]) => typeof value !== 'function');
  return { type, props: Object.fromEntries(sendable), children: children.map(plain) };
}

function textOf({ type, props, children }) {
  return type === 'String' ? String(props.text) : children.map(textOf).join('');
}

function press(label, element) {
  if (element.type === 'Button' && textOf(element) === label) return element.props.onClick({});
  for (const child of element.children) press(label, child);
}

globalThis.__bridge = {
  async callBridge(command, given) {
    if (command === 'reconcile') {
      root = given.forgeDoc;
      return toProduct({ root: plain(root) });
    }
    const body = JSON.stringify({ user: searchParams.get('user'), command, given });
    const response = await fetch('/bridge', { method: 'POST', body });
    const text = await response.text();
    if (!response.ok) throw new Error(`There was an error invoking the function - ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  },
};

self.addEventListener('message', ({ data }) => {
  if (data?.press !== undefined) press(data.press, root);
});
