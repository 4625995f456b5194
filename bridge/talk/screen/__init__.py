"""The screen of `tipring talk`: who speaks, what is said and heard, what the tools do, how it sounds."""
