export function Issues() {
  return null;
}
