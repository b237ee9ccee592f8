package tfplan

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// large is a plan's JSON of n objects of 40 attributes each, a third of them
// created, updated and replaced, with all that a real plan has beside its
// changes. Every tenth has a secret of its own.
func large(n int) []byte {
	var b, values strings.Builder
	b.WriteString(`{"format_version":"1.2","terraform_version":"1.11.4","applyable":true,"complete":true,"resource_changes":[`)
	values.WriteString(`{"root_module":{"resources":[`)
	for i := range n {
		attrs := func(version int) string {
			var a strings.Builder
			fmt.Fprintf(&a, `{"id":"i-%08d","ami":"ami-%d","name":"web-%d","password":"secret-of-%08d","tags":{"Name":"web-%d","env":"prod","cost":"%d"},"user_data":"#!/bin/sh\nset -e\necho %d\n","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:Get%d\"]}]}","ebs":[{"size":10,"type":"gp3"},{"size":%d,"type":"gp3"}],"nothing":null`,
				i, version, i, i, i, version, i, version, 20+version)
			for k := range 30 {
				fmt.Fprintf(&a, `,"attribute_%02d":"value %d of %d"`, k, k, i)
			}
			return a.String() + "}"
		}
		if i > 0 {
			b.WriteString(",")
			values.WriteString(",")
		}
		mask := "{}"
		if i%10 == 0 {
			mask = `{"password":true}`
		}
		actions, before, paths := `["create"]`, "null", ""
		switch i % 3 {
		case 1:
			actions, before = `["update"]`, attrs(1)
		case 2:
			actions, before, paths = `["delete","create"]`, attrs(1), `,"replace_paths":[["ami"]]`
		}
		fmt.Fprintf(&b, `{"address":"aws_instance.web[%d]","mode":"managed","type":"aws_instance","name":"web","index":%[1]d,"provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":%s,"before":%s,"after":%s,"after_unknown":{"arn":true},"before_sensitive":%s,"after_sensitive":%[5]s%s}}`,
			i, actions, before, attrs(2), mask, paths)
		fmt.Fprintf(&values, `{"address":"aws_instance.web[%d]","values":%s}`, i, attrs(2))
	}
	values.WriteString("]}}")
	fmt.Fprintf(&b, `],"planned_values":%s,"prior_state":{"values":%[1]s}}`, values.String())
	return []byte(b.String())
}

// BenchmarkLargePlan is a plan of 10,000 objects: what reading, hashing and
// showing it takes, in time and memory.
func BenchmarkLargePlan(b *testing.B) {
	raw := large(10_000)
	p, err := ParsePlan(bytes.NewReader(raw))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ParsePlan10k", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParsePlan(bytes.NewReader(raw)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Digest10k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Digest()
		}
	})
	b.Run("Comment10k", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Text(p, TextOptions{Limit: 96 << 10})
		}
	})
	b.Run("Whole10k", func(b *testing.B) {
		b.ReportAllocs()
		size := 0
		for b.Loop() {
			size = len(Text(p, TextOptions{}))
		}
		b.ReportMetric(float64(size)/1e6, "MB-text")
	})
	p = nil
	b.Run("Held10k", func(b *testing.B) {
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, err := ParsePlan(bytes.NewReader(raw))
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
			runtime.KeepAlive(p)
		}
	})
	b.ReportMetric(float64(len(raw))/1e6, "MB-json")
}
