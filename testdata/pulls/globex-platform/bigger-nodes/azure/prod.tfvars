environment = "prod"
node_size   = "Standard_D8s_v3"
node_count  = 3
