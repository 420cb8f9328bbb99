/** What an entry says of its change: before and after where it knows both, else names and values. */
export function Changes({ detail }: { detail: Record<string, unknown> }) {
  const { from, to, ...rest } = detail;
  const both = from !== undefined && to !== undefined;
  const others = Object.entries(both ? rest : detail);
  if (!both && others.length === 0) return <p className="muted">The entry says no more.</p>;
  return (
    <table className="table audit-changes">
      <tbody>
        {both ? (
          <tr>
            <th scope="row">Before and after</th>
            <td>
              <del>{shown(from)}</del> → <ins>{shown(to)}</ins>
            </td>
          </tr>
        ) : null}
        {others.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name.replaceAll("_", " ")}</th>
            <td>{shown(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
