terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
}

variable "environment" {
  type = string
}

variable "machine_type" {
  type = string
}

variable "node_count" {
  type = number
}

locals {
  labels = {
    owner       = "platform"
    environment = var.environment
  }
}

provider "google" {
  project        = "globex-${var.environment}"
  region         = "europe-west1"
  default_labels = local.labels
}

resource "google_compute_network" "main" {
  name                    = "globex"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "main" {
  name          = "nodes"
  network       = google_compute_network.main.id
  ip_cidr_range = "10.50.0.0/20"
}

resource "google_compute_firewall" "internal" {
  name          = "internal"
  network       = google_compute_network.main.name
  source_ranges = ["10.50.0.0/20"]

  allow {
    protocol = "tcp"
    ports    = ["443", "8080-8090"]
  }
}

module "cluster" {
  source = "../modules/cluster"

  name         = "globex-${var.environment}"
  zone         = "europe-west1-b"
  machine_type = var.machine_type
  node_count   = var.node_count
  network      = google_compute_network.main.name
  labels       = local.labels
}

resource "google_sql_database_instance" "main" {
  name             = "globex-${var.environment}"
  database_version = "POSTGRES_16"

  settings {
    tier              = "db-custom-2-7680"
    availability_type = var.environment == "prod" ? "REGIONAL" : "ZONAL"
    disk_size         = 50
    user_labels       = local.labels
  }
}

resource "google_storage_bucket" "artifacts" {
  name                        = "globex-artifacts-${var.environment}"
  location                    = "EU"
  uniform_bucket_level_access = true
}
