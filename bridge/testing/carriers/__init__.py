"""One module for each carrier: its REST API, its webhooks, its answer documents and its media socket."""
