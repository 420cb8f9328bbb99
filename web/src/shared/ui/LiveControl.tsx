import { PauseOutlined, PlayCircleOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import { useEffect, useState } from "react";
import type { LiveState } from "../live/stream";
import { useSession } from "../session";
import { shortTime } from "../time";

const WORDS: Record<LiveState, string> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  stopped: "Not connected",
};

const HINTS: Record<LiveState, string> = {
  connecting: "The live connection is being opened.",
  live: "Changes show as they happen.",
  reconnecting: "The live connection was lost; it is tried again by itself. What is shown may be old.",
  stopped: "The live connection is closed while this page is hidden.",
};

/** A connection that was only renewed need not alarm anybody. */
const LOST_AFTER_MS = 5000;

interface LiveControlProps {
  state: LiveState;
  paused: boolean;
  onPause(paused: boolean): void;
}

/** Says whether the page is live, and pauses it. */
export function LiveControl({ state, paused, onPause }: LiveControlProps) {
  const { timeZone } = useSession();
  const lostAt = useLostAt(state === "reconnecting");
  const lost = lostAt !== null && !paused;
  const shown = paused ? "paused" : lost ? "lost" : state;
  return (
    <span className="live">
      <Tooltip title={paused ? "Nothing changes until you resume." : HINTS[state]}>
        <span className={`live-state live-${shown}`} role="status">
          <span className="dot" aria-hidden />
          {paused ? "Paused" : lost ? `No connection since ${shortTime(lostAt, timeZone)}` : WORDS[state]}
        </span>
      </Tooltip>
      <Button
        icon={paused ? <PlayCircleOutlined aria-hidden /> : <PauseOutlined aria-hidden />}
        onClick={() => onPause(!paused)}
        aria-pressed={paused}
      >
        {paused ? "Resume" : "Pause"}
      </Button>
    </span>
  );
}

/** Since when the connection is gone, once it has been for longer than it takes to renew it. */
function useLostAt(gone: boolean): Date | null {
  const [lostAt, setLostAt] = useState<Date | null>(null);
  useEffect(() => {
    if (!gone) return;
    const at = new Date();
    const timer = setTimeout(() => setLostAt(at), LOST_AFTER_MS);
    return () => {
      clearTimeout(timer);
      setLostAt(null);
    };
  }, [gone]);
  return lostAt;
}
