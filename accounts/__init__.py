"""The public schema: who may enter. Accounts, policies, persons; tenancy, actor, key format."""
