"""What requests and answers look like: checked on the way in, described in the OpenAPI document on
both.
"""
