// Answers the storage requests of the real @forge/kvs, as Forge's storage service does for one installation.

type Init = { body: string };

/** Installs the function through which @forge packages call the platform. */
export function installForgeStorage(): { secrets: Map<string, unknown>; calls: string[] } {
  const secrets = new Map<string, unknown>();
  const calls: string[] = [];
  const answer = (path: string, { body }: Init): Response => {
    const { key, value, options } = JSON.parse(body);
    calls.push(path);
    if (path === '/api/v1/secret/get') {
      if (secrets.has(key)) return Response.json({ key, value: secrets.get(key) });
      return Response.json({ code: 'KEY_NOT_FOUND', message: 'Key not found' }, { status: 404 });
    }
    if (path === '/api/v1/secret/set') {
      if (options?.keyPolicy === 'FAIL_IF_EXISTS' && secrets.has(key)) {
        return Response.json({ code: 'KEY_CONFLICT', message: 'Key exists' }, { status: 409 });
      }
      secrets.set(key, value);
      return new Response(null, { status: 204 });
    }
    return Response.json({ code: 'UNKNOWN', message: path }, { status: 400 });
  };
  (globalThis as Record<string, unknown>)['__forge_fetch__'] = async (
    target: { type: string },
    path: string,
    init: Init,
  ) => {
    if (target.type !== 'kvs') throw new Error(`unexpected platform call: ${target.type}`);
    return answer(path, init);
  };
  return { secrets, calls };
}
