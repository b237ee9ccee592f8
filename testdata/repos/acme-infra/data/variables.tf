variable "database_password" {
  description = "Set at the first start, changed by hand afterwards."
  type        = string
  sensitive   = true
  default     = "change-me-after-the-first-start"
}
