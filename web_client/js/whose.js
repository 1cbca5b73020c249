// Whose seat this is: asked once for a page, since it stays so as long as the page does.

let asked = null;

/** The seat as `GET /api/seat` tells it; null where nothing could be heard. */
export function whose() {
  asked ??= fetch("/api/seat", { cache: "no-store" })
    .then((response) => (response.ok ? response.json() : null))
    .catch(() => null);
  return asked;
}

/** Whether somebody is signed in by now, asked anew; null where nothing could be heard. */
export async function isSeated() {
  const response = await fetch("/api/seat", { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return null;
  return (await response.json()).mode !== "nobody";
}
