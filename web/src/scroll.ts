/** Where rows of a long list lie. Browsers clamp the height of an element at about 15 million pixels, so a longer list
 * has a shorter spacer: small steps are exact, jumps of the thumb are scaled, and both ends are reached. Pure. */

/** Height that every browser lays out, CSS pixels. */
export const TALLEST = 8_000_000;

export interface List {
  readonly rows: number;
  /** Of one row, CSS pixels. */
  readonly height: number;
  /** Of the part that is seen. */
  readonly viewport: number;
  readonly tallest?: number;
}

/** `virtual` is the offset in the whole list, `physical` the browser's `scrollTop` that stands for it. */
export interface Place {
  readonly virtual: number;
  readonly physical: number;
}

export const TOP: Place = { virtual: 0, physical: 0 };

/** Height of the element that gives the scroll bar its length. */
export function spacer(list: List): number {
  return Math.min(list.rows * list.height, list.tallest ?? TALLEST);
}

/** Whether the spacer is shorter than the list. */
export function scaled(list: List): boolean {
  return spacer(list) < list.rows * list.height;
}

function ends(list: List): Place {
  return {
    virtual: Math.max(0, list.rows * list.height - list.viewport),
    physical: Math.max(0, spacer(list) - list.viewport),
  };
}

const within = (value: number, most: number): number => Math.max(0, Math.min(most, value));

/** The place at an offset of the list: the `scrollTop` that stands for it in proportion. */
export function at(list: List, virtual: number): Place {
  const most = ends(list);
  const there = within(virtual, most.virtual);
  return { virtual: there, physical: most.virtual ? Math.round((there / most.virtual) * most.physical) : 0 };
}

/** After a step of the wheel or a key: exactly as many pixels as were asked for. */
export function stepped(list: List, place: Place, pixels: number): Place {
  return at(list, place.virtual + pixels);
}

/** After the browser scrolled to `physical`: by less than a page exactly as far, by more in proportion.
 *
 * The ends are the ends, whatever came before. */
export function scrolled(list: List, place: Place, physical: number): Place {
  const most = ends(list);
  const to = within(physical, most.physical);
  if (to === place.physical) return place;
  if (!scaled(list)) return { virtual: to, physical: to };
  if (to === 0) return TOP;
  if (to === most.physical) return most;
  const moved = to - place.physical;
  const virtual = Math.abs(moved) < list.viewport ? place.virtual + moved : (to / most.physical) * most.virtual;
  return { virtual: within(virtual, most.virtual), physical: to };
}

/** Rows to draw, `first` inclusive to `last` exclusive, with `spare` rows beyond each edge. */
export function drawn(list: List, place: Place, spare = 6): { readonly first: number; readonly last: number } {
  const first = Math.max(0, Math.floor(place.virtual / list.height) - spare);
  const last = Math.min(list.rows, Math.ceil((place.virtual + list.viewport) / list.height) + spare);
  return { first, last: Math.max(first, last) };
}

/** Where a row lies inside the spacer, CSS pixels from its top. */
export function top(list: List, place: Place, row: number): number {
  return place.physical + row * list.height - place.virtual;
}

/** The place nearest to the present one that shows a row whole. */
export function reveal(list: List, place: Place, row: number): Place {
  const above = row * list.height;
  const below = above + list.height - list.viewport;
  if (place.virtual > above) return at(list, above);
  return place.virtual < below ? at(list, below) : place;
}

/** Whole rows in a page, at least one. */
export function page(list: List): number {
  return Math.max(1, Math.floor(list.viewport / list.height) - 1);
}
