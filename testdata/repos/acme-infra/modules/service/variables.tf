variable "name" {
  description = "What the service is called, in names and tags."
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "instance_type" {
  type    = string
  default = "t3.small"
}

variable "instances" {
  description = "How many machines run it."
  type        = number
  default     = 1
}

variable "port" {
  type    = number
  default = 8080
}

variable "allowed_cidrs" {
  description = "Who may reach the service's port."
  type        = list(string)
}

variable "disk_gb" {
  type    = number
  default = 20
}
