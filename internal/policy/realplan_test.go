package policy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/toolchain"
)

const head = `
terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    azurerm = { source = "hashicorp/azurerm" }
    google  = { source = "hashicorp/google" }
  }
}
provider "aws" {
  region = "eu-west-1"
  default_tags { tags = { Owner = "platform" } }
}
provider "azurerm" {
  features {}
}
provider "google" {
  project        = "acme"
  default_labels = { owner = "platform" }
}
`

const before = `
resource "aws_db_instance" "orders" {
  identifier     = "orders"
  instance_class = "db.t4g.micro"
  username       = "app"
  password       = "not-to-be-seen"
  tags           = { Environment = "test" }
}
resource "azurerm_resource_group" "old" {
  name     = "old"
  location = "westeurope"
  tags     = { environment = "test", owner = "a" }
}
`

const after = `
resource "aws_db_instance" "orders" {
  identifier        = "orders"
  storage_encrypted = true
  instance_class    = "db.t4g.micro"
  username          = "app"
  password          = "not-to-be-seen"
  tags              = { Environment = "test" }
}
resource "aws_eip" "home" {
  tags = { Environment = "test" }
}
resource "aws_security_group" "inline" {
  name = "inline"
  tags = { Environment = "test" }
  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    protocol    = "tcp"
    from_port   = 5432
    to_port     = 5432
    cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]
  }
  ingress {
    protocol    = "tcp"
    from_port   = 3306
    to_port     = 3306
    cidr_blocks = ["${aws_eip.home.public_ip}/32"]
  }
}
resource "aws_security_group" "separate" {
  name = "separate"
  tags = { Environment = "test" }
}
resource "aws_security_group_rule" "home" {
  security_group_id = aws_security_group.separate.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_blocks       = ["${aws_eip.home.public_ip}/32"]
}
resource "aws_vpc_security_group_ingress_rule" "all" {
  security_group_id = aws_security_group.separate.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
}
resource "aws_s3_bucket" "untagged" {
  bucket = "untagged"
}
resource "azurerm_network_security_rule" "rdp" {
  name                        = "rdp"
  priority                    = 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  source_address_prefix       = "*"
  destination_port_range      = "3389"
  destination_address_prefix  = "*"
  resource_group_name         = "main"
  network_security_group_name = "main"
}
resource "google_compute_firewall" "ssh" {
  name          = "ssh"
  network       = "default"
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
resource "google_compute_firewall" "tagged" {
  name        = "tagged"
  network     = "default"
  source_tags = ["bastion"]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
resource "google_storage_bucket" "logs" {
  name     = "logs"
  location = "EU"
}
`

// TestRealPlan judges what Terraform itself plans, so that the rules meet plan
// JSON as it is and not as a test imagines it.
func TestRealPlan(t *testing.T) {
	dir, run := terraform(t)
	main := filepath.Join(dir, "main.tf")
	write(t, main, head+before)
	run("init", "-input=false", "-no-color")
	run("apply", "-input=false", "-auto-approve", "-no-color")
	write(t, main, head+after)
	run("plan", "-input=false", "-no-color", "-out=plan")

	e := small(t, policy.Options{}, nil)
	in := policy.Input{Plan: parse(t, string(run("show", "-json", "plan")))}
	checkSchema(t, matcher(t), e, in)
	r := judge(t, e, in)
	got := []string{}
	for _, f := range r.Findings {
		got = append(got, string(f.Level)+" "+f.Address+": "+f.Message)
	}
	const unknown = " is known only after the apply: make sure that it is not the whole internet."
	want := []string{
		"mandatory aws_db_instance.orders: This aws_db_instance would be destroyed and created again, without its data: storage_encrypted can't be changed in place.",
		"mandatory azurerm_resource_group.old: This azurerm_resource_group would be destroyed with its data.",
		"mandatory aws_security_group.inline: 0.0.0.0/0 may reach tcp port 5432.",
		"mandatory aws_vpc_security_group_ingress_rule.all: ::/0 may reach every port.",
		"mandatory azurerm_network_security_rule.rdp: * may reach tcp port 3389.",
		"mandatory google_compute_firewall.ssh: 0.0.0.0/0 may reach tcp port 22.",
		"advisory aws_security_group.inline: Who may reach tcp port 3306" + unknown,
		"advisory aws_security_group_rule.home: Who may reach tcp port 22" + unknown,
		"advisory aws_s3_bucket.untagged: This aws_s3_bucket lacks the tag environment.",
		"advisory aws_vpc_security_group_ingress_rule.all: This aws_vpc_security_group_ingress_rule lacks the tag environment.",
		"advisory google_storage_bucket.logs: This google_storage_bucket lacks the label environment.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if r.Verdict != policy.Fail || len(r.Problems) > 0 {
		t.Errorf("verdict %s, problems %v", r.Verdict, r.Problems)
	}
}

// terraform gives an empty folder, and what runs Terraform in it with the
// stand-in providers.
func terraform(t *testing.T) (folder string, run func(args ...string) []byte) {
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
	run = func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool.Path, args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TIDELOCK_STANDIN_DIR=" + home}
		var problem bytes.Buffer
		cmd.Stderr = &problem
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s%s", tool.Name, args, err, out, problem.Bytes())
		}
		return out
	}
	return dir, run
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
