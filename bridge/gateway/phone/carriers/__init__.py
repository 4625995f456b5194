"""Each carrier as the desk sees it: how its webhooks and sockets are checked, read and answered."""
