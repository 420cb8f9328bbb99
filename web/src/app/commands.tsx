import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { App } from "antd";
import { useDeferredValue } from "react";
import { searchQuery } from "../features/catalogue/queries";
import { forgetEverything, signOut } from "../features/identity/session";
import { fullName, KINDS } from "../shared/lineage";
import { paths } from "../shared/paths";
import { permission } from "../shared/permissions";
import { setPreferences, usePreferences } from "../shared/preferences";
import { useSession } from "../shared/session";
import { reasonOf } from "../shared/ui/states";
import { allowedPages } from "./navigation";

export interface Command {
  id: string;
  group: string;
  label: string;
  run(): void;
}

/** Everything that the palette can do; `text` may be the id of an alert or words to search for. */
export function useCommands(text: string, onShortcuts: () => void): Command[] {
  const { me, may } = useSession();
  const navigate = useNavigate();
  const leave = useSignOut();
  const { theme, density } = usePreferences();
  const words = text.trim().toLowerCase();
  const wanted = useDeferredValue(words);
  const catalogue = useQuery({
    ...searchQuery(wanted, undefined),
    enabled: wanted.length > 1 && may(permission.readLineage),
  });
  const commands: Command[] = [
    ...allowedPages(me.permissions).map((page) => ({
      id: page.path,
      group: "Go to",
      label: page.title,
      run: () => void navigate({ to: page.path }),
    })),
    ...(["light", "dark", "system"] as const)
      .filter((each) => each !== theme)
      .map((each) => ({
        id: `theme-${each}`,
        group: "Look",
        label: each === "system" ? "Theme of the system" : `${each === "dark" ? "Dark" : "Light"} theme`,
        run: () => setPreferences({ theme: each }),
      })),
    {
      id: "density",
      group: "Look",
      label: density === "compact" ? "Comfortable density" : "Compact density",
      run: () => setPreferences({ density: density === "compact" ? "comfortable" : "compact" }),
    },
    { id: "shortcuts", group: "Help", label: "Keyboard shortcuts", run: onShortcuts },
    {
      id: "account",
      group: "Account",
      label: "Account security",
      run: () => void navigate({ to: paths.account }),
    },
    { id: "sign-out", group: "Account", label: "Sign out", run: leave },
  ];
  const found = commands.filter((command) =>
    `${command.group} ${command.label}`.toLowerCase().includes(words),
  );
  if (words !== "" && may(permission.readLineage)) {
    for (const entry of catalogue.data?.items.slice(0, 6) ?? []) {
      const run = () => void navigate({ to: paths.catalogue, search: { entry: entry.id } });
      found.push({
        id: entry.id,
        group: "Catalogue",
        label: `${fullName(entry)} (${KINDS[entry.kind]})`,
        run,
      });
    }
  }
  if (words === "" || !may(permission.readAlerts)) return found;
  if (/^alr_[0-9a-f]+$/.test(words)) {
    const run = () => void navigate({ to: paths.alert, params: { id: words } });
    return [{ id: "alert", group: "Alerts", label: `Open the alert ${words}`, run }, ...found];
  }
  const run = () => void navigate({ to: paths.fraud, search: { state: "all", q: text.trim() } });
  return [...found, { id: "search", group: "Alerts", label: `Search alerts for “${text.trim()}”`, run }];
}

/** Ends the session and goes to the sign-in page, leaving nothing of it in memory. */
export function useSignOut(): () => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { message } = App.useApp();
  return () => {
    signOut().then(
      async () => {
        await navigate({ to: paths.signIn });
        forgetEverything(client);
      },
      (error: unknown) => message.error(`You are still signed in. ${reasonOf(error)}`, 8),
    );
  };
}
