import assert from 'node:assert/strict';
import { test } from 'node:test';

import { publishScope } from '../../src/backend/scope.js';
import { Confluence, Jira } from '../../src/context/product-context.js';
import { contextProperties } from '../../src/context/properties.js';
import { isError } from '../support/rejects.js';

const gadget = {
  installContext: 'ari:cloud:jira::site/1',
  moduleKey: 'absences',
  extension: {
    type: 'jira:dashboardGadget',
    dashboard: { id: '10001' },
    gadget: { id: 10204 },
    location: 'x',
  },
};

test('the properties are the module and the identifiers of what the page shows', () => {
  assert.deepEqual(contextProperties(gadget), { module: 'absences', dashboard: '10001', gadget: '10204' });
  assert.deepEqual(
    contextProperties({
      moduleKey: 'panel',
      extension: { issue: { id: '7', key: 'A-7' }, project: { id: '3' }, board: { id: 4 } },
    }),
    { module: 'panel', project: '3', issue: '7', board: '4' },
  );
  assert.deepEqual(
    contextProperties({
      moduleKey: 'pr',
      extension: {
        repository: { uuid: '{r}', id: 9 },
        pullRequest: { id: 5 },
        content: { id: '' },
        space: {},
      },
    }),
    { module: 'pr', repository: '{r}', pullRequest: '5' },
  );
});

test('what is no identifier is no property', () => {
  assert.deepEqual(
    contextProperties({ moduleKey: 'm', extension: { issue: { id: { nested: 1 } }, project: null } }),
    {
      module: 'm',
    },
  );
  assert.deepEqual(contextProperties({ extension: 'text' }), {});
});

test('the default scope is the whole context, and overrides keep the named properties', () => {
  assert.deepEqual(publishScope(gadget, undefined), {
    module: 'absences',
    dashboard: '10001',
    gadget: '10204',
  });
  assert.deepEqual(publishScope(gadget, [Jira.Dashboard]), { dashboard: '10001' });
  assert.deepEqual(publishScope(gadget, []), {});
});

test('an override that the context lacks is refused with the properties that it has', () => {
  const refusal = isError(
    'SCOPE_REFUSED',
    /no property 'space'\. Its properties: module, dashboard, gadget\./,
  );
  assert.throws(() => publishScope(gadget, [Confluence.Space]), refusal);
});

test('an invocation without a module never falls back to the whole installation', () => {
  const trigger = { installContext: 'ari:cloud:jira::site/1' };
  assert.throws(
    () => publishScope(trigger, undefined),
    isError('SCOPE_REFUSED', /no default channel.*publishGlobal\(\)/),
  );
  assert.throws(() => publishScope(trigger, [Jira.Issue]), isError('SCOPE_REFUSED', /Its properties: none/));
  assert.deepEqual(publishScope({ ...trigger, extension: { issue: { id: 1 } } }, [Jira.Issue]), {
    issue: '1',
  });
});
