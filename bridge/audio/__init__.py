"""Pure audio parts: frames, lanes, pacing, the ledger, levels, endpointing."""
