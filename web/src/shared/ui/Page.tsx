import { type ReactNode, useEffect } from "react";

interface PageProps {
  title: string;
  /** Beside the title: as-of, live state, pause. */
  aside?: ReactNode;
  children: ReactNode;
  fill?: boolean;
}

/** The frame of a page. With `fill` it is exactly as high as the window and its parts scroll by themselves. */
export function Page({ title, aside, children, fill = false }: PageProps) {
  useTitle(title);
  return (
    <div className={fill ? "page page-fill" : "page"}>
      <header className="page-head">
        <h1>{title}</h1>
        <div className="page-aside">{aside}</div>
      </header>
      {children}
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Finer`;
  }, [title]);
}
