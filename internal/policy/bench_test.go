package policy_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// bigPlan is a plan of n resources of 31 types over three clouds, each with some
// forty attributes, as Terraform writes it: with planned values, prior state and
// configuration beside the changes. Most rules have something to look at, and
// many find fault.
func bigPlan(t testing.TB, n int) *tfplan.Plan {
	t.Helper()
	kinds := []string{
		"aws_instance", "aws_security_group", "azurerm_linux_virtual_machine", "google_compute_firewall", "aws_db_instance", "google_storage_bucket", "azurerm_network_security_rule",
		"aws_s3_bucket", "aws_iam_policy", "aws_iam_role", "aws_lb", "aws_kms_key", "aws_ebs_volume", "aws_lambda_function", "aws_cloudwatch_log_group", "aws_sqs_queue", "aws_subnet", "aws_route53_record",
		"azurerm_storage_account", "azurerm_key_vault", "azurerm_mssql_server", "azurerm_kubernetes_cluster", "azurerm_network_interface", "azurerm_resource_group",
		"google_compute_instance", "google_sql_database_instance", "google_container_cluster", "google_project_iam_member", "google_kms_crypto_key",
		"random_id", "kubernetes_deployment",
	}
	var changes, planned, prior, config []any
	for i := range n {
		kind := kinds[i%len(kinds)]
		address := fmt.Sprintf("module.app[%d].%s.r%d", i/100, kind, i)
		after := map[string]any{"name": fmt.Sprint("r", i)}
		for a := range 36 {
			after[fmt.Sprintf("attribute_%02d", a)] = []any{fmt.Sprint("value ", i, a), nil, a, true, map[string]any{"key": "value", "size": i}}[a%5]
		}
		tags := map[string]any{"environment": "prod", "owner": "platform"}
		source, port, actions := "10.0.0.0/8", 22, []string{"update"}
		if i%10 == 0 {
			tags, source = map[string]any{"owner": "platform"}, "0.0.0.0/0"
		}
		switch kind {
		case "aws_security_group":
			after["ingress"] = []any{map[string]any{"protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": []string{source}, "ipv6_cidr_blocks": []string{}}}
		case "google_compute_firewall":
			after["source_ranges"], after["allow"] = []string{source}, []any{map[string]any{"protocol": "tcp", "ports": []string{"22"}}}
		case "azurerm_network_security_rule":
			after["direction"], after["access"], after["protocol"] = "Inbound", "Allow", "Tcp"
			after["source_address_prefix"], after["destination_port_range"] = source, "22"
		case "google_storage_bucket":
			after["labels"] = tags
		default:
			after["tags"] = tags
			after["password"] = fmt.Sprint("secret-", i)
		}
		if kind == "aws_db_instance" && i%10 == 0 {
			actions = []string{"delete", "create"}
		}
		changes = append(changes, map[string]any{
			"address": address, "mode": "managed", "type": kind, "name": fmt.Sprint("r", i), "provider_name": "registry.terraform.io/hashicorp/aws",
			"change": map[string]any{"actions": actions, "before": after, "after": after, "after_unknown": map[string]any{"id": true}, "before_sensitive": map[string]any{"password": true}, "after_sensitive": map[string]any{"password": true}},
		})
		planned = append(planned, map[string]any{"address": address, "values": after})
		prior = append(prior, map[string]any{"address": address, "values": after})
		config = append(config, map[string]any{"address": address, "expressions": after})
	}
	raw, err := json.Marshal(map[string]any{
		"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes,
		"planned_values": map[string]any{"root_module": map[string]any{"resources": planned}},
		"prior_state":    map[string]any{"values": map[string]any{"root_module": map[string]any{"resources": prior}}},
		"configuration":  map[string]any{"root_module": map[string]any{"resources": config}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &tfplan.Plan{Raw: raw}
}

// BenchmarkJudge judges plans of 20, 1,000 and 10,000 resources by the bundled
// packs; "whole" adds a rule that asks for the whole plan, so that nothing of
// it is skipped. Targets: 300 ms and 3 s for the two large ones.
func BenchmarkJudge(b *testing.B) {
	whole := map[string]string{"p.rego": "package main\n\ndeny contains \"a\" if count(input.plan) == 0"}
	for _, n := range []int{20, 1000, 10000} {
		p := bigPlan(b, n)
		for name, files := range map[string]map[string]string{"bundled": nil, "whole": whole} {
			e := engine(b, policy.Options{}, files)
			b.Run(fmt.Sprintf("resources=%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(p.Raw)))
				for b.Loop() {
					if r := judge(b, e, policy.Input{Plan: p}); r.Verdict == policy.Error {
						b.Fatal(r.Problems)
					}
				}
			})
		}
	}
}

// BenchmarkPacks is what make bench BENCH=policy tells of: to compile the
// bundled packs, and to judge plans of 1,000 and 10,000 resources by all of
// them, in 300 ms and 3 s, with how much the heap grew at most.
func BenchmarkPacks(b *testing.B) {
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			if err := policy.CompileBundled(); err != nil {
				b.Fatal(err)
			}
		}
	})
	e := engine(b, policy.Options{}, nil)
	for _, n := range []int{1000, 10000} {
		p := bigPlan(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			runtime.GC()
			before, top := heapNow(), peak()
			for b.Loop() {
				if r := judge(b, e, policy.Input{Plan: p}); r.Verdict == policy.Error {
					b.Fatal(r.Problems)
				}
			}
			b.ReportMetric(float64(top()-before)/(1<<20), "peak-MB")
		})
	}
}

// BenchmarkNew makes an engine of the bundled packs, which the process has
// compiled before, and one more pack.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		engine(b, policy.Options{}, map[string]string{"p.rego": "package main\n\nimport data.tidelock.plan\n\ndeny contains \"a\" if plan.destroy_count > 10"})
	}
}
