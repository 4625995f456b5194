"""Phone calls: from the carrier's question what to do with a call to the record of how it ended."""
