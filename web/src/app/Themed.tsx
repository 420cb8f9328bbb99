import { useQuery } from "@tanstack/react-query";
import { App, ConfigProvider } from "antd";
import { type ReactNode, useLayoutEffect, useMemo } from "react";
import { meQuery } from "../features/identity/session";
import { inkOn } from "../shared/colour";
import { primaryOf, themeOf } from "../shared/look";
import { CALM, useMedia } from "../shared/media";
import { pageNonce } from "../shared/nonce";
import { usePreferences, usePreferencesOf } from "../shared/preferences";
import { useDark } from "../shared/useDark";

/** The look of everything: theme and density as the person chose them, the colour as the tenant did. */
export function Themed({ children }: { children: ReactNode }) {
  const { data: me } = useQuery({ ...meQuery, enabled: false });
  usePreferencesOf(me?.user.id ?? null);
  const { density } = usePreferences();
  const calm = useMedia(CALM);
  const dark = useDark();
  const brand = me?.tenant.branding.primary_color;
  const config = useMemo(
    () => ({ ...themeOf({ dark, compact: density === "compact", brand }) }),
    [dark, density, brand],
  );

  useLayoutEffect(() => {
    const page = document.documentElement;
    const primary = primaryOf({ dark, brand });
    page.dataset.theme = dark ? "dark" : "light";
    page.dataset.density = density;
    page.style.setProperty("--primary", primary);
    page.style.setProperty("--on-primary", inkOn(primary));
  }, [dark, density, brand]);

  return (
    <ConfigProvider
      theme={{ ...config, token: { ...config.token, motion: !calm } }}
      button={{ autoInsertSpace: false }}
      csp={pageNonce ? { nonce: pageNonce } : undefined}
    >
      <App message={{ maxCount: 3 }} className="app">
        {children}
      </App>
    </ConfigProvider>
  );
}
