/** A table of groups of rows, each of which can become the selection. */

interface Group {
  readonly name: string;
  readonly cells: readonly [string, string];
  /** What the button says to a screen reader. */
  readonly label: string;
  /** Absent: there is nothing to select. */
  readonly onSelect?: () => unknown;
}

export function Groups({ heads, groups }: { readonly heads: readonly [string, string, string]; readonly groups: readonly Group[] }) {
  return (
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
          <th scope="col">
            <span class="sr">Select</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {groups.map((one) => (
          <tr key={one.name}>
            <th scope="row">
              <bdi>{one.name}</bdi>
            </th>
            {one.cells.map((cell, at) => (
              <td key={at} class="number">
                {cell}
              </td>
            ))}
            <td>
              <button type="button" disabled={!one.onSelect} aria-label={one.label} onClick={() => void one.onSelect?.()}>
                Select
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
