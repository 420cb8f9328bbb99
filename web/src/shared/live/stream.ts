/** One stream of server-sent events that keeps itself connected and says how it is. */
export type LiveState = "connecting" | "live" | "reconnecting" | "stopped";

export interface LiveHandlers {
  /** An event arrived. `data` is its parsed JSON. */
  onEvent(name: string, data: unknown): void;
  onState(state: LiveState): void;
  /** Events may have been missed: fetch again. */
  onGap(): void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** A hidden page gives its connection back after this long: browsers allow six to one server over HTTP/1.1. */
const HIDDEN_MS = 10_000;
/** The server says every 15 seconds that it is there: whoever hears nothing for this long is talking to nobody. */
const SILENT_MS = 40_000;
const HEARTBEAT = "heartbeat";

export class LiveStream {
  private source: EventSource | null = null;
  private failures = 0;
  private missed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly names: readonly string[],
    private readonly handlers: LiveHandlers,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.onVisibility);
    window.addEventListener("online", this.onOnline);
    this.open("connecting");
  }

  stop(): void {
    document.removeEventListener("visibilitychange", this.onVisibility);
    window.removeEventListener("online", this.onOnline);
    clearTimeout(this.hiddenTimer);
    this.close();
    this.handlers.onState("stopped");
  }

  private open(state: LiveState): void {
    this.close();
    this.handlers.onState(state);
    const source = new EventSource(this.url);
    this.source = source;
    this.heard();
    source.onopen = () => {
      this.heard();
      this.failures = 0;
      this.handlers.onState("live");
      if (this.missed) {
        this.missed = false;
        this.handlers.onGap();
      }
    };
    source.onerror = () => this.onFailure(source);
    source.addEventListener(HEARTBEAT, this.heard);
    for (const name of this.names) {
      source.addEventListener(name, (event) => this.onMessage(name, event as MessageEvent<string>));
    }
  }

  private close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    if (this.source) {
      this.source.onerror = null;
      this.source.onopen = null;
      this.source.close();
    }
    this.source = null;
  }

  /** A connection that is lost without a word looks like a quiet one, until the next sign of life does not come. */
  private readonly heard = (): void => {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.missed = true;
      this.open("reconnecting");
    }, SILENT_MS);
  };

  private onMessage(name: string, event: MessageEvent<string>): void {
    this.heard();
    try {
      this.handlers.onEvent(name, event.data ? JSON.parse(event.data) : null);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // A broken event is a missed event.
      this.handlers.onGap();
    }
  }

  /**
   * The first time, the browser reconnects by itself and resumes after the last event it saw. When that fails too,
   * or the server refused, this opens anew with growing waits; what was missed meanwhile is fetched by `onGap`.
   */
  private onFailure(source: EventSource): void {
    this.failures += 1;
    this.handlers.onState("reconnecting");
    if (source.readyState === EventSource.CONNECTING && this.failures === 1) return;
    this.missed = true;
    this.close();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures - 1, 5));
    // Spread over half the wait, so that a restarted server does not meet everybody in one moment.
    this.timer = setTimeout(() => this.open("reconnecting"), wait * (0.75 + Math.random() / 2));
  }

  /** The network is back: whoever waits for the next try need not wait. */
  private readonly onOnline = (): void => {
    if (this.source === null && document.visibilityState === "visible") this.open("reconnecting");
  };

  private readonly onVisibility = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === "hidden") {
      this.hiddenTimer = setTimeout(() => {
        this.missed = true;
        this.close();
        this.handlers.onState("stopped");
      }, HIDDEN_MS);
    } else if (this.source === null) {
      this.open("reconnecting");
    }
  };
}
