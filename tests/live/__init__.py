"""A started server with workers, asked over real sockets."""
