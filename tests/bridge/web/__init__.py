"""Tests of the softphone page."""
