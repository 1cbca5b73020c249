"""Who spoke when, on a microphone that several people share."""
