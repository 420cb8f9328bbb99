import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveStream } from "../src/shared/live/stream";
import { FakeEventSource } from "./support/eventSource";

describe("a live stream", () => {
  let states: string[];
  let events: unknown[];
  let gaps: number;
  let stream: LiveStream;

  beforeEach(() => {
    vi.useFakeTimers();
    states = [];
    events = [];
    gaps = 0;
    stream = new LiveStream("/s", ["alert"], {
      onState: (state) => states.push(state),
      onEvent: (name, data) => events.push([name, data]),
      onGap: () => {
        gaps += 1;
      },
    });
    stream.start();
  });

  afterEach(() => stream.stop());

  it("passes events on and says that it is live", () => {
    FakeEventSource.at("/s").open();
    FakeEventSource.at("/s").send("alert", { id: 1 });
    expect(events).toEqual([["alert", { id: 1 }]]);
    expect(states).toEqual(["connecting", "live"]);
    expect(gaps).toBe(0);
  });

  it("lets the browser resume once, without a gap", () => {
    const source = FakeEventSource.at("/s");
    source.open();
    source.fail(false);
    source.open();
    expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
    expect([FakeEventSource.all.length, gaps]).toEqual([1, 0]);
  });

  it("opens anew with growing waits when refused, and then asks for what was missed", () => {
    for (let n = 1; n <= 4; n += 1) {
      FakeEventSource.at("/s").fail(true);
      vi.advanceTimersByTime(1000 * 2 ** (n - 1) * 0.7);
      expect(FakeEventSource.all.length).toBe(n);
      vi.advanceTimersByTime(1000 * 2 ** (n - 1));
      expect(FakeEventSource.all.length).toBe(n + 1);
    }
    FakeEventSource.at("/s").open();
    expect([gaps, states.at(-1)]).toEqual([1, "live"]);
  });

  it("does not wait once the network is back", () => {
    for (let n = 0; n < 6; n += 1) {
      FakeEventSource.at("/s").fail(true);
      if (n < 5) vi.advanceTimersByTime(40_000);
    }
    window.dispatchEvent(new Event("online"));
    expect(FakeEventSource.all.length).toBe(7);
    FakeEventSource.at("/s").open();
    for (let n = 0; n < 4; n += 1) {
      vi.advanceTimersByTime(25_000);
      FakeEventSource.at("/s").send("heartbeat", {});
    }
    expect([FakeEventSource.all.length, gaps, states.at(-1)]).toEqual([7, 1, "live"]);
  });

  it("never waits longer than 40 seconds", () => {
    for (let n = 0; n < 12; n += 1) {
      FakeEventSource.at("/s").fail(true);
      vi.advanceTimersByTime(40_000);
    }
    expect(FakeEventSource.all.length).toBe(13);
  });

  it("takes a broken event as a missed one", () => {
    FakeEventSource.at("/s").open();
    FakeEventSource.at("/s").send("alert", "{not json");
    expect([events.length, gaps]).toEqual([0, 1]);
  });

  it("gives its connection back while the page is hidden, and asks for what was missed", () => {
    const source = FakeEventSource.at("/s");
    source.open();
    const show = (state: string) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    };
    show("hidden");
    vi.advanceTimersByTime(11_000);
    expect([source.readyState, states.at(-1)]).toEqual([FakeEventSource.CLOSED, "stopped"]);
    show("visible");
    FakeEventSource.at("/s").open();
    expect([FakeEventSource.all.length, gaps, states.at(-1)]).toEqual([2, 1, "live"]);
  });

  it("takes a stream that says nothing for 40 seconds for lost, opens it anew and asks for what was missed", () => {
    FakeEventSource.at("/s").open();
    for (let n = 0; n < 10; n += 1) {
      vi.advanceTimersByTime(30_000);
      FakeEventSource.at("/s").send(n % 2 ? "heartbeat" : "alert", {});
    }
    expect([FakeEventSource.all.length, states.at(-1), gaps]).toEqual([1, "live", 0]);
    const lost = FakeEventSource.at("/s");
    vi.advanceTimersByTime(40_000);
    expect([FakeEventSource.all.length, states.at(-1)]).toEqual([2, "reconnecting"]);
    expect(lost.readyState).toBe(FakeEventSource.CLOSED);
    FakeEventSource.at("/s").open();
    expect([states.at(-1), gaps]).toEqual(["live", 1]);
  });

  it("tries again where a connection is neither made nor refused", () => {
    vi.advanceTimersByTime(81_000);
    expect([FakeEventSource.all.length, states.at(-1)]).toEqual([3, "reconnecting"]);
  });

  it("is quiet once stopped", () => {
    FakeEventSource.at("/s").fail(true);
    stream.stop();
    vi.advanceTimersByTime(100_000);
    expect(FakeEventSource.all.length).toBe(1);
    expect(states.at(-1)).toBe("stopped");
  });
});
