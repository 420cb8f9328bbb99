import { MenuFoldOutlined, MenuUnfoldOutlined } from "@ant-design/icons";
import { Link, useRouterState } from "@tanstack/react-router";
import { Button } from "antd";
import { useEffect, useRef } from "react";
import { paths } from "../shared/paths";
import { useSession } from "../shared/session";
import { navPages } from "./navigation";
import "./nav.css";

/** The pages that the person may open. */
export function Nav({ folded, onFold }: { folded: boolean; onFold?(): void }) {
  const { me } = useSession();
  const pages = navPages(me);
  const list = useRef<HTMLUListElement>(null);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is another place in the list.
  useEffect(() => {
    // Who may open much has more pages than the window is high.
    list.current?.querySelector(".nav-here")?.scrollIntoView?.({ block: "nearest" });
  }, [pathname]);
  return (
    <>
      <ul ref={list} className="nav">
        {pages.map((page, at) => (
          <li key={page.path} className={page.group !== pages[at - 1]?.group && at > 0 ? "nav-group" : ""}>
            {page.group && page.group !== pages[at - 1]?.group && !folded ? (
              <span className="nav-title">{page.group}</span>
            ) : null}
            <Link
              to={page.path}
              activeOptions={{ exact: page.path === paths.home }}
              activeProps={{ className: "nav-here" }}
              title={folded ? page.title : undefined}
            >
              {page.icon}
              <span className={folded ? "sr-only" : ""}>{page.title}</span>
            </Link>
          </li>
        ))}
      </ul>
      {onFold ? (
        <Button
          type="text"
          className="nav-fold"
          icon={folded ? <MenuUnfoldOutlined aria-hidden /> : <MenuFoldOutlined aria-hidden />}
          aria-label={folded ? "Unfold the navigation" : "Fold the navigation"}
          aria-expanded={!folded}
          onClick={onFold}
        />
      ) : null}
    </>
  );
}
