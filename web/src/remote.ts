/** Answers from the server that served this page. The cookie says who asks; nothing else is ever asked. */

import { ApiError, type Event, type Failure, type Json, type Source } from "./api";

const NAMES = ["job", "loss", "run", "pending"] as const;

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as { error?: Failure; state?: Json } | null;
  const failure = body?.error ?? { kind: "server", message: `the server answered ${response.status}`, fix: "Look at its terminal." };
  throw new ApiError(response.status, failure, body?.state ?? null);
}

async function asked(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, { credentials: "same-origin", ...options });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiError(0, { kind: "network", message: "the server does not answer", fix: "Is `tunewright explore` still running?" });
  }
  return checked(response);
}

const posted = (path: string, body: unknown, signal?: AbortSignal): Promise<Response> =>
  asked(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });

/** Name that a `Content-Disposition` header suggests. */
export function suggested(header: string | null): string {
  return /filename="([^"]+)"/.exec(header ?? "")?.[1] ?? "export";
}

export const remote: Source = {
  read_only: false,
  json: async (path, signal) => (await asked(path, signal ? { signal } : {})).json(),
  bytes: async (path, signal) => (await asked(path, signal ? { signal } : {})).arrayBuffer(),
  post: async (path, body, signal) => (await posted(path, body, signal)).json(),
  file: async (path, body) => {
    const response = await posted(path, body);
    return { name: suggested(response.headers.get("Content-Disposition")), blob: await response.blob() };
  },
  events: (heard) => {
    const stream = new EventSource("api/events");
    for (const event of NAMES) {
      stream.addEventListener(event, (message) => heard({ event, data: JSON.parse(message.data) } as Event));
    }
    return () => stream.close();
  },
};
