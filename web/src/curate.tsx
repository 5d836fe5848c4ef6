export function Curate() {
  return null;
}
