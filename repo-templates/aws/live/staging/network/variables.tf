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

variable "region" {
  description = "The AWS region that everything is in."
  type        = string
}

variable "cidr" {
  description = "The network's addresses. Environments that may be joined one day must not overlap."
  type        = string
}

variable "zones" {
  description = "The letters of the availability zones to use."
  type        = list(string)
}
