// The properties of a Forge invocation: what a session and a default channel are scoped to.

/** The `context` of a Forge resolver function, consumer or trigger, as far as it is read here. */
export interface ForgeContext {
  installContext?: string | undefined;
  accountId?: string | undefined;
  moduleKey?: string | undefined;
  extension?: unknown;
  [key: string]: unknown;
}

const IDENTIFIERS = [
  ['project', 'id'],
  ['issue', 'id'],
  ['board', 'id'],
  ['dashboard', 'id'],
  ['gadget', 'id'],
  ['content', 'id'],
  ['space', 'id'],
  ['repository', 'uuid'],
  ['pullRequest', 'id'],
] as const;

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function identifier(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Property name to value. `module` is missing for an invocation that no module of a product's page caused. */
export function contextProperties(context: ForgeContext): Record<string, string> {
  const properties: Record<string, string> = {};
  const module = identifier(context.moduleKey);
  if (module !== undefined) properties['module'] = module;
  for (const [name, key] of IDENTIFIERS) {
    const value = identifier(field(field(context.extension, name), key));
    if (value !== undefined) properties[name] = value;
  }
  return properties;
}
