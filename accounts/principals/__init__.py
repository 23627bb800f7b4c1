"""Account schema: users, agents, keys and the audit log. Account creation lives here too."""
