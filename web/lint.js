// What the page must never do: turn text into markup or code, or speak to another host. No comment lifts the ban.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const BANNED = [
  [/\b(?:inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|createContextualFragment|DOMParser/, "text becomes markup"],
  [/\beval\s*\(|new Function\b|setTimeout\(\s*["'`]|setInterval\(\s*["'`]|javascript:/, "text becomes code"],
  [/\bhttps?:\/\/(?!www\.w3\.org\/)|\bwss?:\/\/|new WebSocket\b|sendBeacon|XMLHttpRequest/, "another host, or another way to one"],
  [/\bconsole\.|\bdebugger\b|\bTODO\b|\bFIXME\b|@ts-ignore|@ts-nocheck|\bas any\b|: any\b/, "left over"],
  [/style="/, "the content security policy forbids style attributes"],
];

const files = readdirSync("src", { recursive: true }).filter((name) => /\.(ts|tsx|css|html)$/.test(name));
const found = [...files.map((name) => join("src", name)), "index.html"].flatMap((path) =>
  readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line, at) => BANNED.filter(([pattern]) => pattern.test(line)).map(([, why]) => `${path}:${at + 1}: ${why}: ${line.trim()}`)),
);

process.stdout.write(found.length ? `${found.join("\n")}\n` : "");
process.exitCode = found.length ? 1 : 0;
