import { useEffect, useState } from "react";

interface Presentation {
  on: boolean;
  begin(): void;
  end(): void;
}

/**
 * A part of the page that fills the window, which fills the screen where the browser allows it. It is the whole document
 * that does: menus and dialogs stand beside that part, and would not show over it if it filled the screen by itself.
 */
export function usePresentation(): Presentation {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const follow = () => {
      if (!document.fullscreenElement) setOn(false);
    };
    // What fills the screen has a black ground behind it, also on paper.
    const print = () => {
      setOn(false);
      leaveScreen();
    };
    document.addEventListener("fullscreenchange", follow);
    window.addEventListener("beforeprint", print);
    return () => {
      window.removeEventListener("beforeprint", print);
      document.removeEventListener("fullscreenchange", follow);
      leaveScreen();
    };
  }, []);
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
