// Where a session's page is, for those who link to it.

export const sessionAddress = (id) => `/#session=${encodeURIComponent(id)}`;

/** Of a visit's note: the page of its session, else of its recap; null where there is neither yet. */
export const noteAddress = (visit) => (visit.session || visit.recap ? sessionAddress(visit.session || visit.recap) : null);
