"""All input and output of the charging server, on trio."""
