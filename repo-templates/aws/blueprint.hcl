description = "AWS with staging and production: a network for each, tagged throughout, its provider pinned."
values      = ["client", "owner", "region"]
first       = "live/staging/network/terraform.tfvars"
