"""Carriers' REST APIs: place a call, hang up, transfer, press keys. One module for each carrier."""
