package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
)

const awsHead = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "eu-west-1"
}
`

// Buckets and what protects them, joined in the ways in which people write it.
const awsRoot = `
resource "aws_s3_bucket" "bare" {}

resource "aws_s3_bucket" "many" {
  count = 3
}
resource "aws_s3_bucket_public_access_block" "many" {
  count                   = 2
  bucket                  = aws_s3_bucket.many[count.index].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket_versioning" "many" {
  for_each = { for i, b in aws_s3_bucket.many : i => b }
  bucket   = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

module "store" {
  source   = "./store"
  for_each = toset(["a.b", "c"])
}
resource "aws_s3_bucket_versioning" "stored" {
  bucket = module.store["a.b"].id
  versioning_configuration {
    status = "Enabled"
  }
}
module "guard" {
  source   = "./guard"
  for_each = module.store
  bucket   = each.value.id
}

resource "aws_vpc" "seen" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_flow_log" "seen" {
  vpc_id          = aws_vpc.seen.id
  traffic_type    = "ALL"
  log_destination = "arn:aws:s3:::flow-logs"
}
resource "aws_vpc" "unseen" {
  cidr_block = "10.1.0.0/16"
}

data "aws_iam_policy_document" "open" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.bare.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
resource "aws_s3_bucket_policy" "open" {
  bucket = aws_s3_bucket.bare.id
  policy = data.aws_iam_policy_document.open.json
}
data "aws_iam_policy_document" "narrow" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.many[0].arn}/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = ["o-1a2b3c"]
    }
  }
}
resource "aws_s3_bucket_policy" "narrow" {
  bucket = aws_s3_bucket.many[0].id
  policy = data.aws_iam_policy_document.narrow.json
}
data "aws_iam_policy_document" "all" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}
resource "aws_iam_policy" "all" {
  name   = "all"
  policy = data.aws_iam_policy_document.all.json
}
resource "aws_ebs_volume" "plain" {
  availability_zone = "eu-west-1a"
  size              = 10
}
`

const awsStore = `
resource "aws_s3_bucket" "this" {}
output "id" {
  value = aws_s3_bucket.this.id
}
`

const awsGuard = `
variable "bucket" {
  type = string
}
resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = var.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
`

// TestRealPlanOfAWS judges plans of what hangs together on AWS as Terraform
// writes them: first when nothing exists and no name is known, then when all is
// there and something changes.
func TestRealPlanOfAWS(t *testing.T) {
	dir, run := terraform(t)
	for path, text := range map[string]string{"main.tf": awsHead + awsRoot, "store/main.tf": awsStore, "guard/main.tf": awsGuard} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, path), text)
	}
	e := engine(t, policy.Options{}, nil)
	findings := func() []string {
		t.Helper()
		run("plan", "-input=false", "-no-color", "-out=plan")
		r := judge(t, e, policy.Input{Plan: parse(t, string(run("show", "-json", "plan")))})
		if len(r.Problems) > 0 {
			t.Fatal(r.Problems)
		}
		var got []string
		for _, f := range r.Findings {
			rule, ours := strings.CutPrefix(f.Rule, "security.aws.")
			switch rule {
			case "s3_encryption", "s3_logging", "s3_tls_only": // every bucket here lacks them
				ours = false
			}
			if ours {
				got = append(got, rule+" "+f.Address)
			}
		}
		return got
	}
	run("init", "-input=false", "-no-color")
	wrong := []string{
		"iam_administrator aws_iam_policy.all",
		"s3_public_policy aws_s3_bucket_policy.open",
		"s3_public_access_block aws_s3_bucket.bare",
		"s3_public_access_block aws_s3_bucket.many[2]",
		"ebs_encryption aws_ebs_volume.plain",
		"s3_versioning aws_s3_bucket.bare",
		`s3_versioning module.store["c"].aws_s3_bucket.this`,
		"vpc_flow_logs aws_vpc.unseen",
	}
	if diff := cmp.Diff(wrong, findings()); diff != "" {
		t.Errorf("findings before the apply (-want +got):\n%s", diff)
	}

	run("apply", "-input=false", "-auto-approve", "-no-color")
	if got := findings(); len(got) > 0 {
		t.Errorf("a plan without changes has findings: %q", got)
	}
	tagged := strings.NewReplacer(
		`resource "aws_s3_bucket" "bare" {}`, `resource "aws_s3_bucket" "bare" { tags = { a = "b" } }`,
		"count = 3", "count = 3\n  tags  = { a = \"b\" }",
	).Replace(awsRoot)
	write(t, filepath.Join(dir, "main.tf"), awsHead+tagged)
	write(t, filepath.Join(dir, "store/main.tf"), strings.Replace(awsStore, "{}", `{ tags = { a = "b" } }`, 1))
	// What the policy of a changed bucket says is read anew, so it is judged too.
	wrong = []string{
		"s3_public_policy aws_s3_bucket_policy.open",
		"s3_public_access_block aws_s3_bucket.bare",
		"s3_public_access_block aws_s3_bucket.many[2]",
		"s3_versioning aws_s3_bucket.bare",
		`s3_versioning module.store["c"].aws_s3_bucket.this`,
	}
	if diff := cmp.Diff(wrong, findings()); diff != "" {
		t.Errorf("findings after the apply (-want +got):\n%s", diff)
	}
}
