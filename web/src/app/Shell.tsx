import { MenuOutlined, SearchOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { Button, Drawer } from "antd";
import { type ReactNode, useEffect, useState } from "react";
import { AlertStreamProvider } from "../features/fraud/alertStream";
import { StepUpDialog } from "../features/identity/StepUpDialog";
import { meQuery } from "../features/identity/session";
import { controlKey, handleKey, useHotkeys } from "../shared/hotkeys";
import { PHONE, useMedia } from "../shared/media";
import { permission } from "../shared/permissions";
import { setPreferences, usePreferences } from "../shared/preferences";
import { SessionProvider, useSession } from "../shared/session";
import { Bell } from "./Bell";
import { ForbiddenPage } from "./errorPages";
import { Nav } from "./Nav";
import { pageAt } from "./navigation";
import { Palette } from "./Palette";
import { SessionEnded } from "./SessionEnded";
import { Shortcuts } from "./Shortcuts";
import { Stale } from "./Stale";
import { UserMenu } from "./UserMenu";

/** What stands around every page once somebody is signed in. */
export function Shell() {
  const { data: me } = useQuery({ ...meQuery, refetchOnMount: false });
  if (!me) return null;
  return (
    // Whoever signs in next finds no field as the person before left it.
    <SessionProvider key={me.user.id} me={me}>
      <Streams>
        <Frame />
      </Streams>
    </SessionProvider>
  );
}

function Streams({ children }: { children: ReactNode }) {
  const { may } = useSession();
  // Around everybody's pages: what a person may do can change under a page, which must not lose what it holds then.
  return <AlertStreamProvider open={may(permission.readAlerts)}>{children}</AlertStreamProvider>;
}

function Frame() {
  const { me, may } = useSession();
  const { navCollapsed } = usePreferences();
  const phone = useMedia(PHONE);
  const [drawer, setDrawer] = useState(false);
  const [palette, setPalette] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const page = pageAt(pathname);
  const allowed = !page || may(page.needs);

  useEffect(() => {
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the drawer.
  useEffect(() => setDrawer(false), [pathname]);
  useHotkeys([
    {
      key: "k",
      withControl: true,
      label: "Command palette",
      group: "Everywhere",
      run: () => setPalette(true),
    },
    { key: "?", label: "This overview", group: "Everywhere", run: () => setShortcuts(true) },
    { key: "/", label: "Search", group: "Everywhere", yields: true, run: () => setPalette(true) },
    { key: "[", label: "Fold the navigation", group: "Everywhere", run: toggleNav },
  ]);

  return (
    <div className={navCollapsed ? "shell shell-narrow" : "shell"}>
      <button type="button" className="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header className="top">
        {phone ? (
          <Button
            type="text"
            icon={<MenuOutlined aria-hidden />}
            aria-label="Open the navigation"
            onClick={() => setDrawer(true)}
          />
        ) : null}
        <Brand text={me.tenant.branding.logo_text ?? me.tenant.name} />
        <Button
          className="top-search"
          onClick={() => setPalette(true)}
          icon={<SearchOutlined aria-hidden />}
          aria-label="Go to"
        >
          <span className="wide-only">Go to…</span>
          <kbd className="wide-only">{controlKey()} K</kbd>
        </Button>
        <span className="push" />
        {me.second_factor_missing ? null : <Bell />}
        <UserMenu onShortcuts={() => setShortcuts(true)} />
      </header>
      {phone ? (
        <Drawer
          open={drawer}
          onClose={() => setDrawer(false)}
          placement="left"
          size={272}
          title={me.tenant.name}
        >
          <Nav folded={false} />
        </Drawer>
      ) : (
        <nav className="side" aria-label="Pages">
          <Nav folded={navCollapsed} onFold={toggleNav} />
        </nav>
      )}
      <main id="main" tabIndex={-1} className="main">
        <Stale />
        {allowed ? <Outlet /> : <ForbiddenPage />}
      </main>
      <StepUpDialog />
      <SessionEnded />
      {palette ? <Palette onClose={() => setPalette(false)} onShortcuts={() => setShortcuts(true)} /> : null}
      {shortcuts ? <Shortcuts onClose={() => setShortcuts(false)} /> : null}
    </div>
  );

  function toggleNav() {
    setPreferences({ navCollapsed: !navCollapsed });
  }
}

function Brand({ text }: { text: string }) {
  return (
    <span className="brand">
      <span className="brand-mark" aria-hidden>
        {text.slice(0, 1)}
      </span>
      <span className="brand-text">{text}</span>
    </span>
  );
}
