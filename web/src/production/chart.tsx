/** A line over windows of rows, with a threshold, and the same as a table for those who read it. */

import { Curve } from "../curve";
import { number } from "../wire";
import type { Series } from "./report";

interface Chart {
  readonly title: string;
  readonly across: string;
  readonly series: Series;
  readonly threshold?: { readonly at: number; readonly says: string };
  /** How a value reads. */
  readonly format: (value: number) => string;
}

export function Chart({ title, across, series, threshold, format }: Chart) {
  const { points } = series;
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <Curve lines={[{ name: title, points }]} across={across} format={format} label={`${title}; the table below has the figures`} {...(threshold ? { threshold } : {})} />
      <details class="small">
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{across}</th>
              <th scope="col">{title}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((one) => (
              <tr key={one.x}>
                <td class="number">{number(one.x)}</td>
                <td class="number">{format(one.y)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
