environment = "prod"
node_size   = "Standard_D4s_v3"
node_count  = 3
