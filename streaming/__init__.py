"""Live session audio in, utterances and notes out: vocabulary, seams, pure cores, adapters and the server."""
