"""From a request that fits its schema to the settings of a call.

Here stand the rules that concern several fields, and the limits of what this server serves. All
that is wrong is collected and told at once, each sentence at its field.
"""
