"""The Graph API of Meta."""
