# Terraform shows a tuple's change in place, OpenTofu does not.
resource "terraform_data" "repl" {
  input            = "x"
  triggers_replace = [local.s ? 1 : 2, "k"]
}
resource "terraform_data" "dep" { input = { id = terraform_data.repl.id, list = [terraform_data.repl.id, "k"], o = terraform_data.prim.output } }
