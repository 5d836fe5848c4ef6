export function Keys() {
  return null;
}

export function Help() {
  return null;
}
