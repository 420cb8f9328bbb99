import { theme as antd, type ThemeConfig } from "antd";
import { AA, inkOn, isColour, readableOn } from "./colour";

const PRIMARY = "#1d4f91";

/** The colours that both antd and our own styles use; styles.css holds the same values as variables. */
const palettes = {
  light: {
    page: "#f4f6f8",
    surface: "#ffffff",
    line: "#dce1e7",
    text: "#17202b",
    muted: "#556171",
    block: "#b3261e",
    review: "#8a5200",
    approve: "#1a6b3a",
  },
  dark: {
    page: "#0e1318",
    surface: "#151c24",
    line: "#2a3542",
    text: "#e3e9ef",
    muted: "#9aa7b5",
    block: "#ff9c92",
    review: "#f0b95e",
    approve: "#7fd3a0",
  },
} as const;

export interface Look {
  dark: boolean;
  compact: boolean;
  brand: string | null | undefined;
}

/** The tenant's colour, made readable on the page at hand. */
export function primaryOf(look: Pick<Look, "dark" | "brand">): string {
  const colours = look.dark ? palettes.dark : palettes.light;
  // On dark ground the least contrast looks dim, so more is asked for there.
  return readableOn(colours.surface, isColour(look.brand) ? look.brand : PRIMARY, look.dark ? 6 : AA);
}

export function themeOf(look: Look): ThemeConfig {
  const colours = look.dark ? palettes.dark : palettes.light;
  const primary = primaryOf(look);
  const algorithms = [look.dark ? antd.darkAlgorithm : antd.defaultAlgorithm];
  if (look.compact) algorithms.push(antd.compactAlgorithm);
  return {
    algorithm: algorithms,
    token: {
      colorPrimary: primary,
      colorLink: primary,
      colorLinkHover: primary,
      colorInfo: primary,
      colorError: colours.block,
      colorErrorText: colours.block,
      colorBgLayout: colours.page,
      colorBgContainer: colours.surface,
      colorBgElevated: look.dark ? "#1c2530" : colours.surface,
      colorBorder: look.dark ? "#5a6878" : "#8b96a3",
      colorBorderSecondary: colours.line,
      colorText: colours.text,
      colorTextSecondary: colours.muted,
      colorTextDescription: colours.muted,
      colorTextPlaceholder: look.dark ? "#8996a4" : "#66717f",
      colorTextTertiary: colours.muted,
      // Who may only look reads what is in switched-off fields: an auditor the checklist of a case, or the settings.
      colorTextDisabled: colours.muted,
      fontFamily: "var(--font)",
      fontSize: look.compact ? 13 : 14,
      borderRadius: 4,
      motionDurationMid: "0.12s",
      motionDurationSlow: "0.16s",
    },
    components: {
      Button: {
        primaryColor: inkOn(primary),
        dangerColor: inkOn(colours.block),
        primaryShadow: "none",
        dangerShadow: "none",
        defaultShadow: "none",
      },
      Badge: { colorTextLightSolid: inkOn(colours.block) },
      Select: { optionSelectedBg: look.dark ? "#253344" : "#e7edf5" },
      Tooltip: { colorBgSpotlight: look.dark ? "#334050" : "#1f2a36", colorTextLightSolid: "#ffffff" },
    },
  };
}
