// Whether a note is signed, also where a supervisor has still to sign it too: asked by pages that need nothing else of a review before it begins.

export const isSigned = (note) => ["awaiting", "signed", "addended"].includes(note?.state);
