"""The bodies of the REST API, both ways, field for field as the vendor names them."""
