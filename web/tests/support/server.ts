import { vi } from "vitest";
import type { Schema } from "../../src/api/client";
import { alertOf, detailOf, me, NOW, noNotifications, pipeline, quarantined, summaryOf } from "./data";

type Answer = [status: number, body?: unknown, headers?: Record<string, string>];
export type Handler = (request: Request, url: URL) => Answer | Promise<Answer> | undefined;

/** The server as the pages see it, in memory. `on` puts another answer in front. */
export class Server {
  me: Schema<"Me"> | null = me;
  alerts: Schema<"Alert">[] = [1, 2, 3].map((n) => alertOf(n)).reverse();
  readonly requests: Request[] = [];
  private readonly handlers: Handler[] = [];

  constructor() {
    vi.stubGlobal("fetch", (request: Request) => this.answer(request));
  }

  on(call: string, answer: () => Answer | Promise<Answer>): void {
    this.handlers.unshift((request, url) =>
      `${request.method} ${url.pathname}` === call ? answer() : undefined,
    );
  }

  /** Keeps the answer to a call back until it is let go. */
  hold(call: string, answer: () => Answer): () => void {
    let go = () => {};
    const waits = new Promise<void>((resolve) => {
      go = resolve;
    });
    this.on(call, () => waits.then(answer));
    return go;
  }

  sent(call: string): Request[] {
    return this.requests.filter((request) => `${request.method} ${new URL(request.url).pathname}` === call);
  }

  private async answer(request: Request): Promise<Response> {
    this.requests.push(request.clone());
    const url = new URL(request.url);
    let found: Answer | undefined;
    for (const handler of this.handlers) found ??= await handler(request, url);
    const [status, body, headers] = found ?? (await this.usual(request, url));
    const type = status < 400 ? "application/json" : "application/problem+json";
    const text = body === undefined ? null : JSON.stringify(body);
    return new Response(text, {
      status,
      headers: { ...(text ? { "Content-Type": type } : { "Content-Length": "0" }), ...headers },
    });
  }

  private async usual(request: Request, url: URL): Promise<Answer> {
    const call = `${request.method} ${url.pathname.replace("/api/v1", "")}`;
    if (call === "POST /session" || call === "POST /session/link") {
      this.me ??= me;
      return [200, { user: this.me.user, permissions: this.me.permissions, second_factor: null }];
    }
    if (!this.me) return signedOut;
    if (call === "GET /me") return [200, this.me];
    if (call === "GET /me/currency") return [200, { currency: "PHP", exponent: 2, per_usd: "50" }];
    if (call === "DELETE /session") {
      this.me = null;
      return [204];
    }
    if (call === "GET /alerts") return [200, { items: this.alerts, next: null, as_of: NOW }];
    if (call === "GET /alerts/summary") return [200, summaryOf(this.alerts.length)];
    if (call === "GET /notifications") return [200, noNotifications];
    if (call === "GET /pipeline") return [200, pipeline];
    if (call === "GET /quarantine") return [200, { items: [quarantined], next: null }];
    if (call === "GET /quarantine/causes") return [200, { items: [] }];
    if (call === "GET /receipts") return [200, { items: [], next: null }];
    const id = /^\/api\/v1\/alerts\/(\w+)/.exec(url.pathname)?.[1];
    const alert = this.alerts.find((each) => each.id === id);
    if (!alert) return problem(404, "There is no such alert.");
    if (request.method === "GET") return [200, detailOf(alert)];
    const { verdict, note } = (await request.json()) as Schema<"ResolutionBody">;
    const resolution = { by: "Mei Tan", at: NOW, note };
    return [200, { ...alert, state: verdict, version: 2, resolution }];
  }
}

/** What the server answers once nobody is signed in. */
const signedOut = problem(401, "Nobody is signed in.", { type: "urn:finer:problem:unauthenticated" });

export function problem(
  status: number,
  detail: string,
  members: Record<string, unknown> = {},
): [number, unknown] {
  return [status, { type: "urn:finer:problem:test", title: "It failed", status, detail, ...members }];
}
