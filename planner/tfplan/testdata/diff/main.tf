variable "step" {}
locals { s = var.step == "1" }
variable "pw" {
  sensitive = true
  default   = "correct horse battery"
}
resource "terraform_data" "prim" { input = local.s ? "one" : "two" }
resource "terraform_data" "num" { input = local.s ? 1 : 2.5 }
resource "terraform_data" "same" { input = "same" }
resource "terraform_data" "obj" { input = { a = 1, b = local.s ? "x" : "y", c = [1, 2, 3, 4, 5, 6], "odd key" = true, n = null, deep = { q = local.s, z = 1 } } }
resource "terraform_data" "map" { input = tomap(local.s ? { Name = "a", Gone = "x", k = "k" } : { Name = "b", New = "y", k = "k" }) }
resource "terraform_data" "list" { input = tolist(local.s ? ["a", "b", "c", "d", "e", "f"] : ["a", "b", "X", "d", "e", "f", "g"]) }
resource "terraform_data" "listobj" { input = tolist(var.step == "1" ? tolist([{ a = 1, b = 2 }, { a = 3, b = 4 }]) : tolist([{ a = 1, b = 2 }, { a = 3, b = 5 }, { a = 9, b = 9 }])) }
resource "terraform_data" "heredoc" { input = local.s ? "a\nb\nc\n" : "a\nB\nc\nd\n" }
resource "terraform_data" "json" { input = local.s ? jsonencode({ Version = "1", Statement = [{ Effect = "Allow", Action = ["a", "b"] }] }) : jsonencode({ Version = "1", Statement = [{ Effect = "Deny", Action = ["a", "b", "c"] }] }) }
resource "terraform_data" "sens" { input = local.s ? var.pw : "${var.pw}2" }
resource "terraform_data" "sensobj" { input = { a = var.pw, b = local.s ? 1 : 2 } }
resource "terraform_data" "sensoff" { input = local.s ? var.pw : "clear" }
resource "terraform_data" "sensoff2" { input = local.s ? "clear2" : sensitive("clear2") }
resource "terraform_data" "cbd" {
  triggers_replace = { a = local.s ? 1 : 2, b = 2 }
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "trig" {
  input = "x"
  lifecycle { replace_triggered_by = [terraform_data.prim] }
}
resource "terraform_data" "counted" {
  count = local.s ? 2 : 1
  input = { m = tomap({ a = "b", c = "d" }), l = ["x", { y = 1 }], s = "multi\nline", p = var.pw }
}
resource "terraform_data" "each" {
  for_each = local.s ? toset(["a b", "c"]) : toset(["c"])
  input    = each.key
}
resource "terraform_data" "tonull" { input = local.s ? "str" : null }
resource "terraform_data" "empty" { input = { a = local.s ? tolist([]) : tolist(["1"]), b = local.s ? tomap({}) : tomap({ x = "1" }), c = "" } }
output "o" { value = terraform_data.prim.output }
output "p" {
  value     = var.pw
  sensitive = true
}
output "n" { value = local.s ? { a = 1 } : { a = 2 } }
