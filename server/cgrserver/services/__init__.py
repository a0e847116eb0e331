"""Tasks that run by themselves beside the requests."""
