"""RPC: the registry of methods, decoding of arguments, dispatch, replies."""
