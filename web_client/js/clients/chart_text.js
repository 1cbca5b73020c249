// A chart's lists as lines of text and back: pure.

const lines = (text) => text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);

export const diagnosesText = (list) => (list ?? []).map((one) => `${one.code} ${one.text}`.trim()).join("\n");

/** What the server takes as a diagnosis: code and words in one text. */
export const diagnosesOf = (text) => lines(text);

export const linesText = (list) => (list ?? []).join("\n");

export const linesOf = lines;

export const usualText = (usual) => Object.entries(usual ?? {}).map(([modality, names]) => `${modality}: ${names.join(", ")}`).join("\n");

/** Lines such as "CBT: thought record, exposure"; what stands without a modality is "other". */
export function usualOf(text) {
  const found = {};
  for (const line of lines(text)) {
    const at = line.indexOf(":");
    const modality = at > 0 ? line.slice(0, at).trim() : "other";
    const names = line.slice(at + 1).split(",").map((one) => one.trim()).filter(Boolean);
    if (names.length) found[modality] = [...(found[modality] ?? []), ...names];
  }
  return found;
}
