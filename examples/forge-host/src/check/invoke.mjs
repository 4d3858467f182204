// Calls of the app's functions past the gadgets, as any user of Jira can make them.

/**
 * @param {import('playwright-core').Page} page
 * @param {{ member: string, functionKey: string, payload: object, context?: object }} call
 * @returns {Promise<{ error?: string, result?: any }>}
 */
export function invoke(page, { functionKey, ...call }) {
  const gadget = functionKey.startsWith('rotation.') ? 'rotation' : 'absences';
  return page.evaluate(
    async (body) => (await fetch('/api/invoke', { method: 'POST', body: JSON.stringify(body) })).json(),
    { ...call, gadget, functionKey },
  );
}
