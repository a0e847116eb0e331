"""RPC methods by subject. Importing this package declares them all."""
