package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/policy"
)

// TestExamplePlan holds what the examples' rules are shown to the form that
// Terraform 1.11 gives the same configuration.
func TestExamplePlan(t *testing.T) {
	p := planOf(t, policy.Example{HCL: `
		terraform {
			required_providers {
				aws = {
					source  = "hashicorp/aws"
					version = "~> 6.0"
				}
			}
		}
		provider "aws" { region = "eu-west-1" }
		variable "password" {
			default   = "hunter2222"
			sensitive = true
		}
		data "external" "who" { program = ["who"] }
		module "vpc" {
			source  = "terraform-aws-modules/vpc/aws"
			version = "~> 5.0"
			name    = var.password
		}
		resource "aws_s3_bucket" "logs" {
			bucket = "logs"
			tags   = { Vpc = module.vpc.vpc_id }
			provisioner "local-exec" { command = "echo ${self.id}" }
		}
		resource "aws_s3_bucket_policy" "logs" {
			bucket = aws_s3_bucket.logs.bucket
			policy = jsonencode({ Resource = [aws_s3_bucket.logs.arn, "x"] })
			names  = [aws_s3_bucket.logs.id, "b", var.password]
			rule {
				user = data.external.who.result["a"]
				n    = 1
			}
		}
		output "password" { value = nonsensitive(var.password) }
	`})
	var got any
	if err := json.Unmarshal(p.Raw, &got); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(`{
		"format_version": "1.2", "terraform_version": "1.11.4",
		"variables": {"password": {"value": "hunter2222"}},
		"output_changes": {"password": {"actions": ["create"], "before": null, "after": "hunter2222", "after_unknown": false, "before_sensitive": false, "after_sensitive": false}},
		"resource_changes": [
			{"address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket", "name": "logs", "provider_name": "registry.terraform.io/hashicorp/aws",
				"change": {"actions": ["create"], "before": null, "after": {"bucket": "logs", "tags": {}}, "after_unknown": {"tags": {"Vpc": true}}, "before_sensitive": false, "after_sensitive": {}}},
			{"address": "aws_s3_bucket_policy.logs", "mode": "managed", "type": "aws_s3_bucket_policy", "name": "logs", "provider_name": "registry.terraform.io/hashicorp/aws",
				"change": {"actions": ["create"], "before": null,
					"after": {"bucket": "logs", "names": [null, "b", "hunter2222"], "rule": [{"n": 1}]},
					"after_unknown": {"policy": true, "names": [true, false, false], "rule": [{"user": true}]},
					"before_sensitive": false, "after_sensitive": {"names": [false, false, true], "rule": [{}]}}}],
		"configuration": {
			"provider_config": {
				"aws": {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws", "version_constraint": "~> 6.0", "expressions": {"region": {"constant_value": "eu-west-1"}}},
				"external": {"name": "external", "full_name": "registry.terraform.io/hashicorp/external"}},
			"root_module": {
				"outputs": {"password": {"expression": {"references": ["var.password"]}}},
				"variables": {"password": {"default": "hunter2222", "sensitive": true}},
				"module_calls": {"vpc": {"source": "terraform-aws-modules/vpc/aws", "version_constraint": "~> 5.0", "expressions": {"name": {"references": ["var.password"]}}, "module": {}}},
				"resources": [
					{"address": "data.external.who", "mode": "data", "type": "external", "name": "who", "provider_config_key": "external", "schema_version": 0, "expressions": {"program": {"constant_value": ["who"]}}},
					{"address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket", "name": "logs", "provider_config_key": "aws", "schema_version": 0,
						"expressions": {"bucket": {"constant_value": "logs"}, "tags": {"references": ["module.vpc.vpc_id", "module.vpc"]}},
						"provisioners": [{"type": "local-exec", "expressions": {"command": {"references": ["self.id", "self"]}}}]},
					{"address": "aws_s3_bucket_policy.logs", "mode": "managed", "type": "aws_s3_bucket_policy", "name": "logs", "provider_config_key": "aws", "schema_version": 0,
						"expressions": {
							"bucket": {"references": ["aws_s3_bucket.logs.bucket", "aws_s3_bucket.logs"]},
							"policy": {"references": ["aws_s3_bucket.logs.arn", "aws_s3_bucket.logs"]},
							"names": {"references": ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs", "var.password"]},
							"rule": [{"user": {"references": ["data.external.who.result[\"a\"]", "data.external.who"]}, "n": {"constant_value": 1}}]}}]}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}
