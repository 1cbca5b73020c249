// Prometheus' text format, as far as a page shows it: pure.

const LINE = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})?\s+(\S+)/;

/** {name, labels, help, value, shown, bucket} of each sample, in the text's order. */
export function samples(text) {
  const help = new Map();
  const found = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) {
      const [, , name, ...words] = line.split(" ");
      help.set(name, words.join(" ").replace(/(?:, Unix time)?\.?$/, ""));
    }
    const parts = line.startsWith("#") ? null : LINE.exec(line);
    if (!parts) continue;
    const [, name, labels = "", raw] = parts;
    const value = Number(raw);
    found.push({ name, labels, help: help.get(name) ?? "", value, shown: shown(name, value), bucket: name.endsWith("_bucket") });
  }
  return found;
}

const MOMENT = /_(?:started|start_time)_seconds$/;

/** A value for people: moments by this device's clock, bytes and seconds by their unit, else a plain number. */
function shown(name, value) {
  if (!Number.isFinite(value)) return "-";
  if (MOMENT.test(name)) return new Date(value * 1000).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  if (/_bytes$/.test(name)) return value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${(value / 1e6).toFixed(1)} MB`;
  const digits = Number.isInteger(value) ? 0 : 2;
  return `${value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits })}${/_seconds(_total)?$/.test(name) ? " s" : ""}`;
}
