// The test relay's HTTP requests and answers, as far as the resolver's API looks at them: Jest's jsdom environment has
// neither Headers nor Response.

/** The token of `Authorization: Bearer`. */
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
