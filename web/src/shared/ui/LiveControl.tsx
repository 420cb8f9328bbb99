import { PauseOutlined, PlayCircleOutlined } from "@ant-design/icons";
import { Button, Tooltip } from "antd";
import type { LiveState } from "../live/stream";

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

interface LiveControlProps {
  state: LiveState;
  paused: boolean;
  onPause(paused: boolean): void;
}

/** Says whether the page is live, and pauses it. */
export function LiveControl({ state, paused, onPause }: LiveControlProps) {
  const shown = paused ? "paused" : state;
  return (
    <span className="live">
      <Tooltip title={paused ? "Nothing changes until you resume." : HINTS[state]}>
        <span className={`live-state live-${shown}`} role="status">
          <span className="dot" aria-hidden />
          {paused ? "Paused" : WORDS[state]}
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
