// The macro's configuration: Confluence stores it in the content, and the page reads it from its context.

/** @typedef {{ question: string, options: string[] }} Config */

/**
 * Reads the configuration of a macro, which is empty until somebody edits it.
 * @param {{ config?: unknown } | undefined} extension
 * @returns {Config}
 */
export function configOf(extension) {
  const { question = '', options = [] } = /** @type {Partial<Config>} */ (extension?.config ?? {});
  return {
    question: String(question),
    options: Array.isArray(options) ? [...new Set(options.map(String))] : [],
  };
}
