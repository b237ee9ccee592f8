variable "client" {
  description = "Whose infrastructure this is; the first part of names."
  type        = string
}

variable "environment" {
  description = "What it is for: staging, production."
  type        = string
}

variable "owner" {
  description = "Who answers for it."
  type        = string
}

variable "greeting" {
  description = "Something to change in a first pull request."
  type        = string
}
