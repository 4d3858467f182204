// The style of the panel, in the colours of the demo. A constructed style sheet is no inline style, so Forge's policy permits
// it without `unsafe-inline` in the manifest.

const CSS = `
:host {
  all: initial;
  --page: #f4f5f7; --surface: #fff; --text: #172b4d; --subtle: #505f79; --border: #dfe1e6; --control: #7a869a;
  --accent: #0c66e4; --alive: #216e4e; --waiting: #7f5f01; --fault: #ae2e24;
  display: block; position: sticky; bottom: 0; z-index: 2147483647; margin-top: 16px;
}
@media (prefers-color-scheme: dark) {
  :host {
    --page: #161a1d; --surface: #22272b; --text: #dee4ea; --subtle: #9fadbc; --border: #454f59; --control: #8c9bab;
    --accent: #579dff; --alive: #4bce97; --waiting: #f5cd47; --fault: #fd9891;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
section {
  border: 1px solid var(--border); border-radius: 12px; overflow: hidden; background: var(--page); color: var(--text);
  font: 13px/18px ui-sans-serif, -apple-system, 'Segoe UI', Ubuntu, system-ui, sans-serif; text-align: left;
}
p, ol, dl, dd, pre { margin: 0; padding: 0; }
button, input { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--control); border-radius: 6px; }
button { padding: 3px 10px; cursor: pointer; }
button[aria-pressed='true'] { border-color: var(--waiting); color: var(--waiting); font-weight: 600; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.bar {
  display: flex; align-items: center; gap: 8px; width: 100%; padding: 7px 12px; border: 0; border-radius: 0; text-align: left;
}
.bar i { width: 9px; height: 9px; flex: none; border-radius: 50%; background: var(--subtle); }
.bar[data-state='connected'] i { background: var(--alive); }
.bar[data-state='connecting'] i, .bar[data-state='reconnecting'] i, .bar[data-state='suspended'] i { background: var(--waiting); }
.bar::after { content: '▴'; margin-left: auto; }
.bar[aria-expanded='true']::after { content: '▾'; }
.note, summary time, details p, .card p + p, dt { color: var(--subtle); }
#content { border-top: 1px solid var(--border); }
[role='tablist'] { display: flex; overflow-x: auto; border-bottom: 1px solid var(--border); background: var(--surface); }
[role='tab'] { padding: 7px 12px; border: 0; border-bottom: 2px solid transparent; border-radius: 0; color: var(--subtle); }
[role='tab'][aria-selected='true'] { border-color: var(--accent); color: var(--text); font-weight: 600; }
[role='tabpanel'] { height: 260px; overflow: auto; padding: 10px 12px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 16px; }
dd, .card { overflow-wrap: anywhere; }
ol { list-style: none; }
.card { padding: 6px 0; border-bottom: 1px solid var(--border); }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin-bottom: 8px; }
label { display: flex; align-items: center; gap: 4px; color: var(--subtle); }
input { width: 84px; padding: 3px 6px; color: var(--text); }
summary {
  display: flex; align-items: baseline; gap: 8px; padding: 3px 0; cursor: pointer; white-space: nowrap; overflow: hidden;
}
summary::before { content: '▸'; color: var(--subtle); }
[open] > summary::before { content: '▾'; }
time, code, pre { font: 12px/18px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
summary code { overflow: hidden; text-overflow: ellipsis; }
pre {
  margin: 4px 0 8px; padding: 8px; border-radius: 6px; background: var(--surface); white-space: pre-wrap; overflow-wrap: anywhere;
}
.badge { padding: 0 6px; border: 1px solid; border-radius: 999px; font-size: 12px; color: var(--subtle); }
.badge[data-state='subscribed'] { color: var(--alive); }
.badge[data-state='subscribing'], .badge[data-state='resuming'], .badge[data-state='pending'] { color: var(--waiting); }
.badge[data-state='error'] { color: var(--fault); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (prefers-reduced-motion: no-preference) {
  details { animation: new 1s; }
  @keyframes new { from { background: color-mix(in srgb, var(--accent) 20%, transparent); } }
}
`;

let sheet: CSSStyleSheet | undefined;

/** Styles a shadow root. Browsers before Safari 16.4 get a style element, which a page's policy may forbid. */
export function addStyle(root: ShadowRoot): void {
  if (!root.adoptedStyleSheets) {
    const element = document.createElement('style');
    element.textContent = CSS;
    root.append(element);
    return;
  }
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  root.adoptedStyleSheets = [sheet];
}
