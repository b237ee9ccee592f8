variable "name" {
  description = "The network's name, and the beginning of its parts' names."
  type        = string
}

variable "cidr" {
  description = "The network's addresses, such as 10.10.0.0/16."
  type        = string

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 0))
    error_message = "The addresses are a CIDR block that can be cut into sixteen, such as 10.10.0.0/16."
  }
}

variable "zones" {
  description = "The availability zones, at most eight. Add new ones at the end: the order decides the addresses."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 8
    error_message = "There can be one to eight zones."
  }
}
