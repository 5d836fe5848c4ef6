/** Confusion matrices: every cell is a button that selects its rows. */

import type { Compared, Confusion } from "./api";
import { choose, matrix } from "./comparing";
import { count, Part } from "./parts";
import { AsPicture } from "./pictured";
import { api, during } from "./state";

/** Labels from which on a matrix is too wide to read, and its largest confusions are listed. */
const WIDE = 9;
const LISTED = 12;

export interface CellAt {
  readonly gold: string;
  readonly predicted: string;
  readonly count: number;
  readonly right: boolean;
}

export function cells({ labels, counts }: Confusion): readonly CellAt[] {
  return labels.flatMap((gold, row) =>
    labels.map((predicted, column) => ({ gold, predicted, count: counts[row]?.[column] ?? 0, right: row === column })),
  );
}

/** The largest confusions, the largest first. */
export function worst(of: Confusion, most: number): readonly CellAt[] {
  return cells(of)
    .filter((one) => !one.right && one.count > 0)
    .toSorted((one, other) => other.count - one.count)
    .slice(0, most);
}

/** Shade of a cell, percent of the ink: its share of the row, so that rare labels are seen too. */
export function shade(cell: CellAt, of: Confusion): number {
  const row = of.counts[of.labels.indexOf(cell.gold)] ?? [];
  const sum = row.reduce((one, other) => one + other, 0);
  return sum ? Math.round((45 * cell.count) / sum) : 0;
}

export function Confusions({ found }: { readonly found: Compared }) {
  const both = found.confusion!;
  const one = matrix.value;
  const of = both[one];
  const id = found[one];
  const pick = (cell: CellAt): Promise<unknown> =>
    during(async () => choose((await api().cell(id, found.split, cell.gold, cell.predicted)).ids));
  return (
    <Part title="Confusion">
      <div class="segments" role="group" aria-label="Of which run">
        <button type="button" aria-pressed={one === "a"} onClick={() => (matrix.value = "a")}>
          A
        </button>
        <button type="button" aria-pressed={one === "b"} onClick={() => (matrix.value = "b")}>
          B
        </button>
      </div>
      <div data-picture={`confusion-${one}`}>
        {of.labels.length < WIDE ? (
          <Matrix of={of} against={one === "b" ? both.a : null} onPick={(cell) => void pick(cell)} />
        ) : (
          <Largest of={of} onPick={(cell) => void pick(cell)} />
        )}
        <AsPicture what="the confusion" />
      </div>
    </Part>
  );
}

interface Shown {
  readonly of: Confusion;
  readonly onPick: (cell: CellAt) => void;
}

/** What a cell says to a reader who cannot see its place. */
const spoken = (cell: CellAt): string => `${cell.gold} predicted as ${cell.predicted}: ${count(cell.count, "row")}`;

function Matrix({ of, against, onPick }: Shown & { readonly against: Confusion | null }) {
  const all = cells(of);
  const before = against && cells(against);
  const n = of.labels.length;
  return (
    <div class="scroll">
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col" class="muted corner">
              Label ↓
              <br />
              Predicted →
            </th>
            {of.labels.map((label) => (
              <th key={label} scope="col">
                <span class="cut" title={label}>
                  {label}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.labels.map((label, row) => (
            <tr key={label}>
              <th scope="row">
                <span class="cut" title={label}>
                  {label}
                </span>
              </th>
              {all.slice(row * n, (row + 1) * n).map((cell, column) => (
                <td key={cell.predicted}>
                  <Cell cell={cell} shade={shade(cell, of)} before={before?.[row * n + column]?.count ?? null} onPick={onPick} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {before && <p class="muted small">Below each count: its change from A.</p>}
    </div>
  );
}

interface CellSeen {
  readonly cell: CellAt;
  readonly shade: number;
  readonly before: number | null;
  readonly onPick: (cell: CellAt) => void;
}

function Cell({ cell, shade: ink, before, onPick }: CellSeen) {
  const change = before === null ? 0 : cell.count - before;
  const colour = cell.right ? "var(--accent)" : "var(--bad)";
  return (
    <button
      type="button"
      class="cell"
      disabled={!cell.count}
      aria-label={spoken(cell)}
      style={{ background: `color-mix(in srgb, ${colour} ${ink}%, var(--ground))` }}
      onClick={() => onPick(cell)}
    >
      {cell.count.toLocaleString("en")}
      {before !== null && <span class="small change">{change ? (change > 0 ? `+${change}` : `−${-change}`) : "="}</span>}
    </button>
  );
}

function Largest({ of, onPick }: Shown) {
  const found = worst(of, LISTED);
  return (
    <ol class="plain largest" aria-label="Largest confusions">
      {found.map((cell) => (
        <li key={`${cell.gold}\u0000${cell.predicted}`}>
          <button type="button" class="slice" aria-label={spoken(cell)} onClick={() => onPick(cell)}>
            <span class="row apart">
              <span class="cut">
                {cell.gold} → {cell.predicted}
              </span>
              <strong>{cell.count.toLocaleString("en")}</strong>
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
