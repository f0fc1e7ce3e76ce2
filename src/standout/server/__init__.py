"""`standout serve`: HTTP in front of worker processes. `create_app` is in `standout.server.app`."""
