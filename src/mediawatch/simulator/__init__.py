"""A stranger: a local Graph API, reached by address. Imports nothing of ours."""
