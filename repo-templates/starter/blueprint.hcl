description = "One example project and a local module, without provider or account: to try Tidelock, or to begin from nothing."
values      = ["client", "owner"]
first       = "live/example/terraform.tfvars"
