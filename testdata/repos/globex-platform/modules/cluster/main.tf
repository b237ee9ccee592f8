variable "name" {
  type = string
}

variable "zone" {
  type = string
}

variable "machine_type" {
  type = string
}

variable "node_count" {
  type = number
}

variable "network" {
  type = string
}

variable "labels" {
  type = map(string)
}

resource "google_container_cluster" "this" {
  name                     = var.name
  location                 = var.zone
  network                  = var.network
  initial_node_count       = 1
  remove_default_node_pool = true
  resource_labels          = var.labels
}

resource "google_container_node_pool" "this" {
  name       = "${var.name}-nodes"
  cluster    = google_container_cluster.this.name
  location   = var.zone
  node_count = var.node_count

  node_config {
    machine_type    = var.machine_type
    disk_size_gb    = 100
    disk_type       = "pd-balanced"
    resource_labels = var.labels
  }
}

output "endpoint" {
  value = google_container_cluster.this.endpoint
}
