// The product's page: runs a UI Kit page in an iframe or in a web worker, and shows its elements as text.
const { searchParams } = new URL(location.href);
const user = searchParams.get('user');
let send;

function textsOf({ type, props, children }) {
  if (type === 'String') return [String(props.text)];
  if (type === 'User') return [`@${props.accountId}`];
  return children.flatMap(textsOf);
}

function receive({ data }) {
  if (data?.root) globalThis.shown = textsOf(data.root).join(' ');
}

if (searchParams.get('runtime') === 'worker') {
  const worker = new Worker(`/worker.js?user=${user}`, { type: 'module' });
  worker.addEventListener('message', receive);
  worker.addEventListener('error', ({ message }) => (globalThis.shown = `the worker failed: ${message}`));
  send = (message) => worker.postMessage(message);
} else {
  addEventListener('message', receive);
  const frame = document.createElement('iframe');
  frame.src = `/app/index.html?user=${user}`;
  document.body.append(frame);
  send = (message) => frame.contentWindow.postMessage(message, '*');
}

globalThis.shown = '';
globalThis.press = (label) => send({ press: label });
