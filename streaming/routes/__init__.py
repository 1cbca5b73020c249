"""The server's routes. Each module has one function, `router(server)`, and is put together in `streaming.app`."""
