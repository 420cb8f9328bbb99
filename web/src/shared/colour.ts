/** Colours that stay readable whatever brand colour a tenant chooses (WCAG 2.2, contrast of at least 4.5). */
export const AA = 4.5;

type Rgb = [number, number, number];

export function contrast(one: string, other: string): number {
  const [high, low] = [luminance(parse(one)), luminance(parse(other))].sort((a, b) => b - a) as [
    number,
    number,
  ];
  return (high + 0.05) / (low + 0.05);
}

/** The colour, moved towards white or black only as far as it needs to be read on the background. */
export function readableOn(background: string, colour: string, needed = AA): string {
  const towards: Rgb = luminance(parse(background)) > 0.4 ? [0, 0, 0] : [255, 255, 255];
  for (let step = 0; step <= 20; step += 1) {
    const mixed = mix(parse(colour), towards, step / 20);
    if (contrast(background, mixed) >= needed) return mixed;
  }
  return towards[0] === 0 ? "#000000" : "#ffffff";
}

/** Black or white, whichever is easier to read on the colour. */
export function inkOn(colour: string): string {
  return contrast(colour, "#ffffff") >= AA ? "#ffffff" : "#0b0f14";
}

export function isColour(text: unknown): text is string {
  return typeof text === "string" && /^#[0-9a-f]{6}$/i.test(text);
}

function parse(hex: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb;
}

function mix(from: Rgb, to: Rgb, share: number): string {
  const parts = from.map((value, i) => Math.round(value + ((to[i] ?? 0) - value) * share));
  return `#${parts.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
