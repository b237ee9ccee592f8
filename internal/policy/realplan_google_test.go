package policy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/toolchain"
)

const googleHead = `
terraform {
  required_providers {
    google = { source = "hashicorp/google" }
  }
}
provider "google" {
  project = "acme"
}
`

// googleGood sets what the rules ask for, by what only the apply will tell
// wherever people write it so: names of keys, accounts and buckets.
const googleGood = `
resource "google_kms_key_ring" "main" {
  name     = "main"
  location = "eu"
}
resource "google_kms_crypto_key" "main" {
  name            = "main"
  key_ring        = google_kms_key_ring.main.id
  rotation_period = "7776000s"
}
resource "google_service_account" "app" {
  account_id = "app"
}
resource "google_storage_bucket" "logs" {
  name                        = "logs-${google_service_account.app.unique_id}"
  location                    = "EU"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  encryption {
    default_kms_key_name = google_kms_crypto_key.main.id
  }
}
module "data" {
  source   = "./bucket"
  for_each = toset(["a", "b"])
  name     = each.key
  key      = google_kms_crypto_key.main.id
  logs     = google_storage_bucket.logs.name
  uniform  = google_service_account.app.unique_id != ""
}
resource "google_compute_instance" "app" {
  name         = "app"
  machine_type = "e2-medium"
  metadata = {
    block-project-ssh-keys = "true"
  }
  boot_disk {
    kms_key_self_link = google_kms_crypto_key.main.id
  }
  network_interface {
    network = "main"
  }
  shielded_instance_config {
    enable_secure_boot = true
  }
  service_account {
    email  = google_service_account.app.email
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }
}
resource "google_sql_database_instance" "orders" {
  name                = "orders"
  database_version    = "MYSQL_8_0"
  encryption_key_name = google_kms_crypto_key.main.id
  settings {
    tier = "db-custom-2-7680"
    ip_configuration {
      ipv4_enabled    = false
      private_network = "main"
      ssl_mode        = "ENCRYPTED_ONLY"
    }
    backup_configuration {
      enabled            = true
      binary_log_enabled = true
    }
    dynamic "database_flags" {
      for_each = { local_infile = "off", skip_show_database = "on" }
      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }
}
resource "google_container_node_pool" "main" {
  cluster = "main"
  node_config {
    service_account = google_service_account.app.email
  }
}
resource "google_cloud_run_v2_service" "app" {
  name     = "app"
  location = "europe-west1"
  ingress  = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  template {
    service_account = google_service_account.app.email
    containers {
      image = "app"
    }
  }
}
`

const googleBucket = `
variable "name" {}
variable "key" {}
variable "logs" {}
variable "uniform" {}
resource "google_storage_bucket" "this" {
  name                        = var.name
  location                    = "EU"
  uniform_bucket_level_access = var.uniform
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  encryption {
    default_kms_key_name = var.key
  }
  logging {
    log_bucket = var.logs
  }
}
`

// googleBad leaves out what the provider then fills in: a plan marks that as
// unknown, exactly as what is set to a new resource's attribute.
const googleBad = `
resource "google_storage_bucket" "plain" {
  count    = 2
  name     = "plain-${count.index}"
  location = "EU"
}
resource "google_compute_instance" "plain" {
  name         = "plain"
  machine_type = "e2-medium"
  boot_disk {}
  network_interface {
    network = "main"
    access_config {}
  }
  service_account {
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  }
}
resource "google_sql_database_instance" "plain" {
  name             = "plain"
  database_version = "MYSQL_8_0"
  settings {
    tier = "db-custom-2-7680"
    ip_configuration {
      authorized_networks {
        value = "0.0.0.0/0"
      }
    }
  }
}
resource "google_container_cluster" "plain" {
  name                     = "plain"
  remove_default_node_pool = true
}
resource "google_container_node_pool" "plain" {
  cluster = google_container_cluster.plain.name
  node_config {}
}
resource "google_cloud_run_v2_service" "plain" {
  name     = "plain"
  location = "europe-west1"
  template {
    containers {
      image = "app"
    }
  }
}
resource "google_project_iam_member" "plain" {
  project = "acme"
  role    = "roles/editor"
  member  = "serviceAccount:ci@acme.iam.gserviceaccount.com"
}
`

// googleFindings are the findings of the pack security/google, "rule address", in
// what Terraform plans for the files of a project.
func googleFindings(t *testing.T, files map[string]string) []string {
	t.Helper()
	tool, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, home := t.TempDir(), t.TempDir()
	rc := filepath.Join(home, "cli.tfrc")
	write(t, rc, "provider_installation {\n  filesystem_mirror { path = \""+filepath.ToSlash(mirror)+"\" }\n}\n")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	var out []byte
	for _, args := range [][]string{{"init", "-input=false"}, {"plan", "-input=false", "-out=plan"}, {"show", "-json", "plan"}} {
		cmd := exec.CommandContext(t.Context(), tool.Path, args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TIDELOCK_STANDIN_DIR=" + home}
		var problem bytes.Buffer
		cmd.Stderr = &problem
		if out, err = cmd.Output(); err != nil {
			t.Fatalf("%s %v: %v\n%s%s", tool.Name, args, err, out, problem.Bytes())
		}
	}
	e := engine(t, policy.Options{}, nil)
	r := judge(t, e, policy.Input{Plan: parse(t, string(out))})
	if len(r.Problems) > 0 {
		t.Fatal(r.Problems)
	}
	found := []string{}
	for _, f := range r.Findings {
		if rule, ok := strings.CutPrefix(f.Rule, "security.google."); ok {
			found = append(found, rule+" "+f.Address)
		}
	}
	slices.Sort(found)
	return found
}

// TestRealPlanGoogle tells apart, in plans that Terraform itself made, what is
// not known yet from what was left out.
func TestRealPlanGoogle(t *testing.T) {
	got := googleFindings(t, map[string]string{"head.tf": googleHead, "good.tf": googleGood, "bad.tf": googleBad, "bucket/main.tf": googleBucket})
	want := []string{
		"compute_default_service_account google_compute_instance.plain",
		"compute_project_keys google_compute_instance.plain",
		"compute_public_ip google_compute_instance.plain",
		"compute_shielded_vm google_compute_instance.plain",
		"customer_keys google_compute_instance.plain",
		"customer_keys google_sql_database_instance.plain",
		"customer_keys google_storage_bucket.plain[0]",
		"customer_keys google_storage_bucket.plain[1]",
		"database_backups google_sql_database_instance.plain",
		"database_open google_sql_database_instance.plain",
		"database_public_ip google_sql_database_instance.plain",
		"database_tls google_sql_database_instance.plain",
		"gke_authorized_networks google_container_cluster.plain",
		"gke_binary_authorization google_container_cluster.plain",
		"gke_network_policy google_container_cluster.plain",
		"gke_node_service_account google_container_node_pool.plain",
		"gke_private_nodes google_container_cluster.plain",
		"gke_secret_encryption google_container_cluster.plain",
		"gke_shielded_nodes google_container_node_pool.main", // the stand-in provider knows no such block
		"gke_shielded_nodes google_container_node_pool.plain",
		"gke_workload_identity google_container_cluster.plain",
		"iam_basic_roles google_project_iam_member.plain",
		"serverless_ingress google_cloud_run_v2_service.plain",
		"serverless_service_account google_cloud_run_v2_service.plain",
		"sql_flags_mysql google_sql_database_instance.plain", // one for each flag
		"sql_flags_mysql google_sql_database_instance.plain",
		"storage_access_logs google_storage_bucket.plain[0]",
		"storage_access_logs google_storage_bucket.plain[1]",
		"storage_public_access_prevention google_storage_bucket.plain[0]",
		"storage_public_access_prevention google_storage_bucket.plain[1]",
		"storage_uniform_access google_storage_bucket.plain[0]",
		"storage_uniform_access google_storage_bucket.plain[1]",
		"storage_versioning google_storage_bucket.plain[0]",
		"storage_versioning google_storage_bucket.plain[1]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
