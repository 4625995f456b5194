"""The script language: a conversation written down as steps, read, checked and run without I/O."""
