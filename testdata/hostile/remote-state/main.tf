variable "state" {} # another client's

data "terraform_remote_state" "theirs" {
  backend = "local"
  config = {
    path = var.state
  }
}

output "theirs" {
  value = data.terraform_remote_state.theirs.outputs
}
