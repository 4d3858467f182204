// Copies the declarations that the entries reach, as .d.ts for `import` and as .d.cts for `require`: with node16 resolution,
// one file cannot describe both.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const RELATIVE = /(from\s+|import\()(['"])(\.{1,2}\/[^'"]+)\.js\2/g;

export function declarations(from, to, entries) {
  const reached = new Set();
  const waiting = [...entries];
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (reached.has(file)) continue;
    reached.add(file);
    const text = readFileSync(path.join(from, file), 'utf8');
    for (const [, , , specifier] of text.matchAll(RELATIVE)) {
      waiting.push(path.join(path.dirname(file), `${specifier}.d.ts`));
    }
    const target = path.join(to, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
    const commonJs = text.replace(
      RELATIVE,
      (_, before, quote, specifier) => `${before}${quote}${specifier}.cjs${quote}`,
    );
    writeFileSync(target.replace(/\.d\.ts$/, '.d.cts'), commonJs);
  }
}
