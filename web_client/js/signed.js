// Whether a note is signed: asked by pages that need nothing else of a review before it begins.

export const isSigned = (note) => note?.state === "signed" || note?.state === "addended";
