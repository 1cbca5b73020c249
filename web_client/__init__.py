"""The page a clinician sees, served as it is: no build step."""
