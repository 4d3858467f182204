// Makes TypeDoc name the entry points as an app imports them, and links the other parts of the site.
import { Converter, JSX } from 'typedoc';

const ENTRIES = {
  'js/src': 'sealwire',
  'js/src/resolver': 'sealwire/resolver',
  'js/src/react': 'sealwire/react',
  'js/src/testing': 'sealwire/testing',
  'js/src/devtools': 'sealwire/devtools',
};

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.parent?.isProject() && ENTRIES[reflection.name])
      reflection.name = ENTRIES[reflection.name];
  });
  app.renderer.hooks.on('sidebar.begin', (context) => {
    const link = (path, text) => JSX.createElement('a', { href: context.relativeURL(path) }, text);
    return JSX.createElement(
      'p',
      { style: 'display: flex; gap: 1rem; margin: 0 0 1rem' },
      link('../index.html', 'Sealwire'),
      link('../book/index.html', 'Book'),
      link('../rust/sealwire_protocol/index.html', 'Crates'),
    );
  });
}
