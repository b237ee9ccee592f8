environment  = "staging"
machine_type = "e2-standard-2"
node_count   = 1
