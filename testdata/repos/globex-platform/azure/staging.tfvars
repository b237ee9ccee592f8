environment = "staging"
node_size   = "Standard_D2s_v3"
node_count  = 2
