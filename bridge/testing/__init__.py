"""The carriers' part of a phone call, played by programs: for tests of any application that answers calls.

A second, independent reading of the carriers' documents: nothing here knows the carrier protocols, signatures and
answers of the gateway, so that the two check each other.
"""
