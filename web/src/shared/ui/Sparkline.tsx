/** A row of thin bars: how many per step, the latest at the right. Told in words to those who cannot see it. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const highest = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg className="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, i) => {
        const height = value === 0 ? 0.6 : Math.max(1.5, (value / highest) * 23);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place.
          <rect key={i} x={i * step} y={24 - height} width={step * 0.72} height={height} />
        );
      })}
    </svg>
  );
}
