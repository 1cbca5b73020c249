"""From a transcript to a note a clinician can check, edit and sign."""
