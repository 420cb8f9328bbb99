/** A failed call, as the server's problem document (RFC 9457) or as what stands for it when there is none. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly type: string;
  /** What the server added to the document: members of its own. */
  readonly members: Record<string, unknown>;

  constructor(
    status: number,
    title: string,
    detail: string,
    type = "",
    members: Record<string, unknown> = {},
  ) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.title = title;
    this.type = type;
    this.members = members;
  }
}

/** The problem of an answer that is not ok. `body` is whatever could be read of it. */
export function problemOf(status: number, body: unknown): ApiProblem {
  if (typeof body === "object" && body !== null) {
    const { title, detail, type, ...members } = body as Record<string, unknown>;
    if (typeof detail === "string" || typeof title === "string") {
      return new ApiProblem(
        status,
        text(title) || titleOf(status),
        text(detail) || text(title),
        text(type),
        members,
      );
    }
  }
  return new ApiProblem(
    status,
    titleOf(status),
    `The server answered ${status} without saying why. Try again.`,
  );
}

/** No answer at all: the network is down, or the server is. */
export function unreachable(): ApiProblem {
  return new ApiProblem(
    0,
    "Finer cannot be reached",
    "The server did not answer. Check the connection and try again; nothing was lost.",
  );
}

export function isProblem(error: unknown, status?: number): error is ApiProblem {
  return error instanceof ApiProblem && (status === undefined || error.status === status);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function titleOf(status: number): string {
  if (status === 401) return "Sign in first";
  if (status === 403) return "Your role does not allow this";
  if (status === 404) return "Not found";
  if (status === 409) return "Somebody else was first";
  if (status === 429) return "Too many requests";
  return status >= 500 ? "The server failed" : "The request was refused";
}
