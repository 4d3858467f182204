// The HTTP requests and responses of the test relay, with the parts that the resolver's API reads. Jest's jsdom environment
// has neither Headers nor Response.

/** Returns the token of `Authorization: Bearer`. */
export function bearerOf(init: RequestInit | undefined): string {
  const { authorization = '' } = (init?.headers ?? {}) as Record<string, string>;
  return authorization.replace(/^Bearer /, '');
}

export function answer(body: object, status = 200): Response {
  return {
    status,
    ok: status < 300,
    headers: { get: () => null },
    json: async () => body,
    text: async () => JSON.stringify(body),
  } as unknown as Response;
}
