export function Filters() {
  return null;
}
