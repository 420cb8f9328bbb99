import { type RefObject, useEffect, useRef, useState } from "react";

interface Presentation {
  ref: RefObject<HTMLDivElement | null>;
  on: boolean;
  begin(): void;
  end(): void;
}

/** A part of the page that fills the screen. Where a browser allows no full screen, it fills the window. */
export function usePresentation(): Presentation {
  const ref = useRef<HTMLDivElement>(null);
  const [on, setOn] = useState(false);
  useEffect(() => {
    const follow = () => {
      if (!document.fullscreenElement) setOn(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOn(false);
    };
    // What fills the screen has a black ground behind it, also on paper.
    const print = () => {
      setOn(false);
      if (document.fullscreenElement) void document.exitFullscreen();
    };
    document.addEventListener("fullscreenchange", follow);
    document.addEventListener("keydown", leave);
    window.addEventListener("beforeprint", print);
    return () => {
      window.removeEventListener("beforeprint", print);
      document.removeEventListener("fullscreenchange", follow);
      document.removeEventListener("keydown", leave);
    };
  }, []);
  return {
    ref,
    on,
    begin: () => {
      setOn(true);
      ref.current?.requestFullscreen?.().catch(() => undefined);
    },
    end: () => {
      setOn(false);
      if (document.fullscreenElement) void document.exitFullscreen();
    },
  };
}
