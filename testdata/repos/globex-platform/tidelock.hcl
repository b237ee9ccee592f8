autodiscover = false

project "azure-staging" {
  dir       = "azure"
  workspace = "staging"
  var_files = ["staging.tfvars"]
}

project "azure-prod" {
  dir       = "azure"
  workspace = "prod"
  var_files = ["prod.tfvars"]
}

project "gcp-staging" {
  dir       = "gcp"
  workspace = "staging"
  var_files = ["staging.tfvars"]
}

project "gcp-prod" {
  dir       = "gcp"
  workspace = "prod"
  var_files = ["prod.tfvars"]
}
