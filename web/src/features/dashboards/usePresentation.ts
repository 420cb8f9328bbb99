import { useEffect, useState } from "react";

interface Presentation {
  on: boolean;
  begin(): void;
  end(): void;
}

/**
 * A part of the page that fills the window, which fills the screen where the browser allows it. It is the whole document
 * that does: menus and dialogs stand beside that part, and would not show over it if it filled the screen by itself.
 * It ends where that part gives way to something else (`possible`).
 */
export function usePresentation(possible: boolean): Presentation {
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (!possible) return;
    const follow = () => {
      if (!document.fullscreenElement) setOn(false);
    };
    // What fills the screen has a black ground behind it, also on paper.
    const stop = () => {
      setOn(false);
      leaveScreen();
    };
    document.addEventListener("fullscreenchange", follow);
    window.addEventListener("beforeprint", stop);
    return () => {
      window.removeEventListener("beforeprint", stop);
      document.removeEventListener("fullscreenchange", follow);
      stop();
    };
  }, [possible]);
  return {
    on,
    begin: () => {
      setOn(true);
      document.documentElement.requestFullscreen?.().catch(() => undefined);
    },
    end: () => {
      setOn(false);
      leaveScreen();
    },
  };
}

function leaveScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
}
