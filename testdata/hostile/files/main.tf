variable "secret" {} # a file outside of the work tree
variable "folder" {} # the folder that it is in
variable "server" {} # a process id

output "file" {
  value = try(file(var.secret), "closed")
}

output "base64" {
  value = try(filebase64(var.secret), "closed")
}

output "template" {
  value = try(templatefile(var.secret, {}), "closed")
}

output "hash" {
  value = try(filesha256(var.secret), "closed")
}

output "up" {
  value = try(file("../../../../../../../../..${var.secret}"), "closed")
}

output "link" {
  value = try(file("${path.module}/link"), "closed")
}

output "linked_folder" {
  value = try(file("${path.module}/linked/secret-name"), "closed")
}

output "set" {
  value = try(tolist(fileset(var.folder, "**")), ["closed"])
}

output "linked_set" {
  value = try(tolist(fileset("${path.module}/linked", "**")), ["closed"])
}

output "self" {
  value = try(filebase64("/proc/self/environ"), "closed")
}

output "server" {
  value = try(filebase64("/proc/${var.server}/environ"), "closed")
}

output "shadow" {
  value = try(file("/etc/shadow"), "closed")
}
